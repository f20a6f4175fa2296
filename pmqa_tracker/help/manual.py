"""Read a chapter of the manual: its HTML, and its sections to search in."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import PurePosixPath

from django.templatetags.static import static
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

from pmqa_tracker import thai
from pmqa_tracker.help.chapters import CHAPTERS, Chapter

# HTML in a chapter is shown as text, and links that run scripts are refused.
MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")
BEFORE_HIT, EXCERPT = 40, 160  # characters


@dataclass(frozen=True)
class Section:
    """A part of a chapter below one heading.

    Attributes:
        anchor: id of the heading, the same in every language.
        level: 1 for the title of the chapter.
        text: its words without markup.
    """

    anchor: str
    level: int
    title: str
    text: str


@dataclass(frozen=True)
class ManualPage:
    """A chapter in one language."""

    chapter: Chapter
    html: SafeString
    sections: Sequence[Section]


@dataclass(frozen=True)
class Hit:
    """A section that contains the words of a search, with the text around the first of them."""

    chapter: Chapter
    section: Section
    excerpt: str


def slug(title: str) -> str:
    """Return the anchor of an English heading, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


@lru_cache(maxsize=2 * len(CHAPTERS))
def read_page(chapter: Chapter, language: str) -> ManualPage:
    """Return a chapter in a language; the files change only with the release."""
    anchors = [slug(title) for title in _titles(_parse(chapter, "en"))]
    tokens = _parse(chapter, language)
    headings = [token for token in tokens if token.type == "heading_open"]
    for heading, anchor in zip(headings, anchors, strict=True):
        heading.attrSet("id", anchor)
    for token in tokens:
        for part in token.children or ():
            _set_addresses(part)
    html = mark_safe(MARKDOWN.renderer.render(tokens, MARKDOWN.options, {}))  # noqa: S308 - of our own files
    return ManualPage(chapter, html, _sections(tokens))


def _parse(chapter: Chapter, language: str) -> list[Token]:
    return MARKDOWN.parse(chapter.path(language).read_text(encoding="utf-8"))


def _titles(tokens: Sequence[Token]) -> list[str]:
    return [words(following) for token, following in pairwise(tokens) if token.type == "heading_open"]


def words(token: Token) -> str:
    """Return the text of a line or paragraph, without markup and pictures."""
    shown = {"text", "code_inline"}
    return "".join(
        part.content if part.type in shown else " " if part.type == "softbreak" else "" for part in token.children or ()
    )


def _set_addresses(token: Token) -> None:
    """Point pictures and links between the files of docs/ to where the site serves them."""
    if token.type == "image":
        token.attrSet("src", static(str(token.attrs["src"]).partition("static/")[2]))
    elif token.type == "link_open":
        name = PurePosixPath(str(token.attrs["href"])).stem
        if name in CHAPTERS:
            token.attrSet("href", reverse("help_chapter", args=[name]))


def _sections(tokens: Sequence[Token]) -> list[Section]:
    sections: list[Section] = []
    heading: Token | None = None
    texts: list[str] = []
    title = ""

    def close() -> None:
        if heading is not None:
            sections.append(Section(str(heading.attrs["id"]), int(heading.tag[1]), title, " ".join(texts)))

    for before, token in zip([None, *tokens], tokens, strict=False):
        if token.type == "heading_open":
            close()
            heading, texts = token, []
        elif token.type == "inline" and before is heading:
            title = words(token)
        elif token.type == "inline":
            texts.append(words(token))
    close()
    return sections


def search(typed: str, language: str) -> list[Hit]:
    """Return the sections that contain all typed words in any spelling; those with a word in the title first."""
    keys = [key for key in map(thai.search_key, typed.split()) if key]
    hits = []
    for chapter in CHAPTERS.values():
        for section in read_page(chapter, language).sections:
            text = thai.search_key(f"{section.title} {section.text}")
            if keys and all(key in text for key in keys):
                hits.append((any(key in thai.search_key(section.title) for key in keys), chapter, section))
    hits.sort(key=lambda hit: not hit[0])
    return [Hit(chapter, section, _excerpt(section.text, typed.split())) for _in_title, chapter, section in hits]


def _excerpt(text: str, typed: Sequence[str]) -> str:
    """Return the text around the first typed word that occurs in this spelling, or its beginning."""
    places = [place for word in typed if (place := text.lower().find(word.lower())) >= 0]
    start = max(min(places, default=0) - BEFORE_HIT, 0)
    end = start + EXCERPT
    return f"{'…' if start else ''}{text[start:end].strip()}{'…' if end < len(text) else ''}"
