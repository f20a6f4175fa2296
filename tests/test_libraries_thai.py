"""Every text of the libraries has a Thai translation, theirs or ours in locale/libraries."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import polib
import pytest
from django.conf import settings
from django.test import RequestFactory
from django.utils import translation
from django.views.i18n import JSONCatalog

OURS = Path(settings.BASE_DIR) / "locale" / "libraries" / "th" / "LC_MESSAGES"
DOMAINS = ["django", "djangojs"]
# Django's English catalogs are complete. Not installed here: gis, postgres, flatpages, redirects, sites, syndication,
# humanize and admindocs.
DJANGO = ["conf", "contrib/admin", "contrib/auth", "contrib/contenttypes", "contrib/sessions"]
# These have no English catalog and no Thai one: their messages are read from their sources.
WITHOUT_THAI = ["import_export", "simple_history", "django_filters"]
# In Django's main catalog, yet never shown here: the names of languages (LANGUAGES is the site's own), applications
# that are not installed, and the page of a project without addresses.
NEVER_SHOWN = (
    "conf/global_settings.py",
    "contrib/sitemaps/",
    "contrib/syndication/",
    "views/templates/default_urlconf.html",
)
# django-import-export puts the kind of change into the text before it asks for the translation.
ASSEMBLED = ["new through import_export", "update through import_export", "delete through import_export"]
# Signs and names that are the same in Thai.
SAME_IN_THAI = {
    *(":", ":?.!", ", ", "…", "%(truncated_text)s…", "%(class_name)s %(instance)s"),
    *("URL", "IPv4", "IPv6", "IPv4 address"),
    *("%s KB", "%s MB", "%s GB", "%s TB", "%s PB", "AM", "PM", "a.m.", "p.m."),
}
THAI = re.compile(r"[\u0e00-\u0e7f]")
SLOT = re.compile(r"%\(\w+\)[a-z]|%[a-z]|\{\w*\}")

Messages = dict[tuple[str | None, str], polib.POEntry]


def package(name: str) -> Path:
    return Path(next(iter(find_spec(name).submodule_search_locations)))


def messages_in(catalog: Path) -> Messages:
    return {(entry.msgctxt, entry.msgid): entry for entry in polib.pofile(str(catalog)) if not entry.obsolete}


def of_django(domain: str) -> Iterator[Messages]:
    for part in DJANGO:
        catalog = package("django") / part / "locale" / "en" / "LC_MESSAGES" / f"{domain}.po"
        if catalog.is_file():
            yield {
                key: entry
                for key, entry in messages_in(catalog).items()
                if not all(source.startswith(NEVER_SHOWN) for source, _line in entry.occurrences)
            }


def of_sources(name: str, folder: Path) -> Messages:
    """Return the messages of a package; makemessages runs in a copy of it."""
    shutil.copytree(package(name), folder, ignore=shutil.ignore_patterns("locale", "__pycache__"))
    (folder / "locale").mkdir()
    subprocess.run(
        [sys.executable, "-m", "django", "makemessages", "-l", "th", "--no-wrap", "-v0"],
        cwd=folder, check=True, capture_output=True, env={**os.environ, "DJANGO_SETTINGS_MODULE": ""},
    )  # fmt: skip
    return messages_in(folder / "locale" / "th" / "LC_MESSAGES" / "django.po")


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[polib.POEntry]]:
    """Return domain → messages of the installed libraries; a message of two libraries occurs twice."""
    folder = tmp_path_factory.mktemp("libraries")
    catalogs = {domain: list(of_django(domain)) for domain in DOMAINS}
    catalogs["django"] += [of_sources(name, folder / name) for name in WITHOUT_THAI]
    found = {domain: [entry for known in catalogs[domain] for entry in known.values()] for domain in DOMAINS}
    found["django"] += [polib.POEntry(msgid=text) for text in ASSEMBLED]
    assert {domain: len(entries) > 70 for domain, entries in found.items()} == {"django": True, "djangojs": True}
    return found


def for_pages(entry: polib.POEntry) -> str:
    """Return the message as a page in the current language shows it."""
    if entry.msgid_plural and entry.msgctxt:
        return translation.npgettext(entry.msgctxt, entry.msgid, entry.msgid_plural, 2)
    if entry.msgid_plural:
        return translation.ngettext(entry.msgid, entry.msgid_plural, 2)
    return translation.pgettext(entry.msgctxt, entry.msgid) if entry.msgctxt else translation.gettext(entry.msgid)


def for_scripts(entry: polib.POEntry) -> str:
    """Return the message as the scripts of the admin get it from the server."""
    answer = JSONCatalog.as_view(packages=["django.contrib.admin"])(RequestFactory().get("/"))
    key = f"{entry.msgctxt}\x04{entry.msgid}" if entry.msgctxt else entry.msgid
    thai = json.loads(answer.content)["catalog"].get(key, entry.msgid)
    return thai if isinstance(thai, str) else thai[-1]


@pytest.fixture(params=[("django", for_pages), ("djangojs", for_scripts)], ids=DOMAINS)
def answers(request: pytest.FixtureRequest, shown: dict[str, list[polib.POEntry]]) -> list[tuple[polib.POEntry, str]]:
    """Return each message of a domain with its Thai text on the site, from any catalog."""
    domain, thai_of = request.param
    with translation.override("th"):
        return [(entry, thai_of(entry)) for entry in shown[domain]]


def slots(text: str) -> list[str]:
    return sorted(SLOT.findall(text.replace("%%", "")))


def test_every_message_of_the_libraries_is_translated(answers):
    assert [entry.msgid for entry, thai in answers if not THAI.search(thai) and entry.msgid not in SAME_IN_THAI] == []


def test_translations_keep_placeholders(answers):
    wrong = [
        (entry.msgid, thai)
        for entry, thai in answers
        if slots(thai) not in (slots(entry.msgid), slots(entry.msgid_plural or entry.msgid))
    ]
    assert wrong == []


@pytest.mark.parametrize("domain", DOMAINS)
def test_catalog_has_no_unknown_or_fuzzy_messages(domain, shown):
    catalog = polib.pofile(str(OURS / f"{domain}.po"), check_for_duplicates=True)
    assert [entry.msgid for entry in catalog if entry.obsolete or entry.fuzzy or not entry.translated()] == []
    known = {(entry.msgctxt, entry.msgid, entry.msgid_plural) for entry in shown[domain]}
    assert [entry.msgid for entry in catalog if (entry.msgctxt, entry.msgid, entry.msgid_plural) not in known] == []
    assert catalog.metadata["Plural-Forms"] == "nplurals=1; plural=0;"
    assert not {"Last-Translator", "Language-Team", "PO-Revision-Date"} & set(catalog.metadata)


@pytest.mark.parametrize("domain", DOMAINS)
def test_compiled_catalog_is_up_to_date(domain):
    def said(catalog: polib.POFile | polib.MOFile) -> dict[tuple[str | None, str, str], object]:
        return {
            (entry.msgctxt, entry.msgid, entry.msgid_plural): entry.msgstr_plural or entry.msgstr for entry in catalog
        }

    assert said(polib.mofile(str(OURS / f"{domain}.mo"))) == said(polib.pofile(str(OURS / f"{domain}.po")))
