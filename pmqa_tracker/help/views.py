"""Pages of the manual; everybody who is logged in reads them."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from pmqa_tracker.help.chapters import CHAPTERS
from pmqa_tracker.help.manual import read_page, search
from pmqa_tracker.views import NotFound

MOST_TYPED = 100


@require_safe
def help_index(request: HttpRequest) -> HttpResponse:
    """The chapters, and the sections that contain the words of `?q=`."""
    language, typed = get_language() or "en", request.GET.get("q", "")[:MOST_TYPED].strip()
    context = {
        "pages": [read_page(chapter, language) for chapter in CHAPTERS.values()],
        "typed": typed,
        "hits": search(typed, language) if typed else [],
    }
    return render(request, "help/index.html", context)


@require_safe
def help_chapter(request: HttpRequest, chapter: str) -> HttpResponse:
    """One chapter of the manual, to read and to print."""
    if chapter not in CHAPTERS:
        others = [(str(each.title), reverse("help_chapter", args=[each.name])) for each in CHAPTERS.values()]
        raise NotFound(_("The manual has no chapter “%(name)s”.") % {"name": chapter[:40]}, others)
    language = get_language() or "en"
    context = {"page": read_page(CHAPTERS[chapter], language), "chapters": CHAPTERS.values()}
    return render(request, "help/chapter.html", context)
