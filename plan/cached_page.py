"""Pages of a plan that are computed once for all users who see the same.

The content of such a page is a function of the plan's `revision` and of its key: plan, day, address with its
parameters, the language, what the page knows about its reader, and the release of the site with its settings. The frame
around it (name, bell, messages, tokens of forms) is rendered for each user. Nothing is ever invalidated: the newest
content of a page is kept with its revision, and a request takes it unless it has read a later revision.

Never stale, whatever runs at the same time. The revision is read before anything is computed: `PlanMiddleware` has read
it and the owner in one statement. A transaction that changes a page raises the revision itself, so the change and
the new revision become visible together, on SQLite and on PostgreSQL (READ COMMITTED: each statement sees what is
committed when it begins).

- A write commits after the revision was read, before or while the content is read: the content is newer than the
  revision it is kept with. Every request that read the revision after that commit has the new one, and computes.
- A write commits after the content was read: it is kept with the old revision, which no later request takes.
- A request takes content with a later revision than its own if the plan has that revision by now: it shows what was
  written after the request began. If not, the database has lost writes (an older copy, a standby), and the page is
  computed.
- A writer that has not committed has changed nothing that a reader sees. After a rollback the old revision and the old
  content are both still true.
- Midnight, a lost role and an organization that is no longer alone are like a write: they are read first, too.
- Were the revision read after the content, old content could be kept with a new revision, and stay.

A restored backup brings old revisions back. It also makes the table of migrations anew, so the moment of the last
migration is part of the key.

A part that reads something of its user, in a state that no test renders, is a bug and yet an answer: the log says so,
and the page is computed for this user alone (`RAISES`).

Kept are answers to GET with status 200 in which the view had nothing to say to the user: a warning, such as one about a
parameter that the page does not know, is a message, and messages belong to one user.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.messages import get_messages
from django.db.models import Count, Max, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import get_language

from assignments.access import Access, access_of
from plan.models import Plan
from plan.models.plan import LAST_MIGRATION
from pmqa_tracker import clock, page_cache
from pmqa_tracker.templatetags.page import own_fields

logger = logging.getLogger("pmqa.cache")

RAISES = False  # a kept part that reads something of a user breaks the page; tests set it
# What kept parts do not see: what the context processors add for one user.
HIDDEN = (
    "user", "perms", "messages", "csrf_token", "session_left", "introduction", "owed_count", "plan_switcher",
)  # fmt: skip
BASE = "base.html"  # what is around the parts of a whole page
CONTENT = "content"  # the part of a whole page that is worth compressing once
FRAGMENT = "fragment"  # the only part of an answer to htmx


class KnownReader:
    """What a page knows about its reader; parts that ask for more belong to one user."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        page_cache.refuse(name)


@dataclass(frozen=True, kw_only=True)
class Reader(KnownReader):
    """All that a page knows about its reader; its kept parts see it as `access`."""

    is_coordinator: bool

    @classmethod
    def of(cls, access: Access) -> "Reader":
        """Return what a page of figures shows to a user with this access."""
        return cls(is_coordinator=access.is_coordinator)


@dataclass(frozen=True, kw_only=True)
class OneReader(KnownReader):
    """What a page of one user's own work or forms knows about them; it is kept for this user only.

    Attributes:
        user_pk: the user.
        is_superuser, roles: what they may do in the plan's organization.
        units: (pk, version) of their units; one may belong to another organization than the plan.
        notice, why_not_lead: as of their access, in the language of the page.
    """

    user_pk: int
    is_superuser: bool
    roles: tuple[str, ...]
    units: tuple[tuple[int, int], ...]
    notice: str
    why_not_lead: str

    @classmethod
    def of(cls, access: Access) -> "OneReader":
        """Return the reader with this access."""
        return cls(
            user_pk=access.user_pk,
            is_superuser=access.user.is_superuser,
            roles=tuple(sorted(access.roles)),
            units=tuple((unit.pk, unit.version) for unit in access.units),
            notice=access.notice,
            why_not_lead=access.why_not_lead,
        )


def state_of_plan(plan: Plan) -> tuple[Any, ...]:
    """Return what a page of a plan depends on; `plan` is `request.plan`."""
    return *_always_of_plan(plan), plan.revision


def _always_of_plan(plan: Plan) -> tuple[Any, ...]:
    """Return what a page of a plan depends on besides the revision of the plan."""
    return plan.pk, plan.has_others, str(plan.migrated_at)


def state_of_plans() -> tuple[Any, ...]:
    """Return what a page about several plans depends on: the revisions of all plans, in one query.

    Revisions only rise, and no key of a plan is used twice. So while the number of plans and the largest key are the
    same, the plans are the same, and their revisions are if the sum is.
    """
    state = Plan.objects.aggregate(Count("pk"), Max("pk"), Sum("revision"), migrated_at=Max(LAST_MIGRATION))
    return tuple(map(str, state.values()))


def page_key(request: HttpRequest, template: str, reader: Any, also: Any = (), state: Any = None) -> str:
    """Return the key of a page, which it has at every revision of `request.plan`.

    Args:
        template: the template of the page.
        reader: a value with all that the page knows about its reader.
        also: further values that the page depends on, such as the minute if it shows the time.
        state: the state of the records that it shows; defaults to that of `request.plan`.
    """
    return page_cache.make_key(
        _always_of_plan(request.plan) if state is None else state,  # type: ignore[attr-defined]
        clock.today(),
        get_language(),
        (template, request.path, request.GET.urlencode()),
        reader,
        also,
    )


def render_cached(
    request: HttpRequest,
    template: str,
    read: Callable[[], dict[str, Any]],
    *,
    reader: Any = None,
    also: Any = (),
    state: Any = None,
    is_fragment: bool = False,
) -> HttpResponse:
    """Answer with a page of `request.plan`, or of the records whose `state` is given, from the cache if it is there.

    Args:
        template: a template that extends `base.html`.
        read: returns the context of the template; called only if the page is not in the cache.
        reader: what the page knows about its reader (a frozen dataclass of plain values); its parts see it as `access`.
            They see no user, no permissions and no messages.
        also: further values that the page depends on.
        state: from `state_of_plans`; read before anything that the page shows.
        is_fragment: the template is an answer to htmx, without the frame.
    """
    reader = Reader.of(access_of(request)) if reader is None else reader
    parts = page_cache.Parts(context={"access": reader, "request": page_cache.KeptRequest(request)})
    parts.context |= dict.fromkeys(HIDDEN, page_cache.Hidden())
    try:
        if settings.DEBUG or request.method not in ("GET", "HEAD"):  # files change while debugging
            return _answer(request, template, read(), parts, is_fragment=is_fragment)
        key = page_key(request, template, reader, also, state)
        revision = request.plan.revision if state is None else 0  # type: ignore[attr-defined]
        return _read_or_keep(request, template, read, parts, key, revision, is_fragment=is_fragment)
    except page_cache.NotInPartError:
        if RAISES:
            raise
        logger.exception("%s is computed for one user, because a part of it cannot be kept for others.", template)
    return render(request, template, read())


def _read_or_keep(
    request: HttpRequest,
    template: str,
    read: Callable[[], dict[str, Any]],
    parts: page_cache.Parts,
    key: str,
    revision: int,
    *,
    is_fragment: bool,
) -> HttpResponse:
    """Answer with the page that is kept under a key; if it is missing or older than a revision, compute and keep it."""
    kept = _read_since(request, key, revision)
    if kept is None:
        with page_cache.alone(key, revision):
            kept = _read_since(request, key, revision)  # another thread may have computed it
            if kept is None:
                context = read()
                has_messages = get_messages(request).added_new
                response = _answer(request, template, context, parts, is_fragment=is_fragment)
                if not has_messages:
                    value = {"revision": revision, "query": context.get("query"), "html": parts.html}
                    page_cache.keep(key, value | {"deflated": parts.deflate(CONTENT)})
                return response
    parts.html, parts.deflated = kept["html"], kept["deflated"]
    return _answer(request, BASE, {"query": kept["query"]}, parts, is_fragment=is_fragment)


def _read_since(request: HttpRequest, key: str, revision: int) -> Any:
    """Return the page that is kept under a key; None if it may lack what the plan had at a revision.

    A page with a later revision is rare: somebody must have written since the request began. Then ask whether the plan
    has that revision by now; if not, the database has lost the writes that the kept page shows.
    """
    kept = page_cache.read(key)
    if kept is None or kept["revision"] < revision:
        return None
    if kept["revision"] == revision:
        return kept
    plans = Plan.objects.filter(pk=request.plan.pk, revision__gte=kept["revision"])  # type: ignore[attr-defined]
    return kept if plans.exists() else None


def _answer(
    request: HttpRequest, template: str, context: dict[str, Any], parts: page_cache.Parts, *, is_fragment: bool
) -> HttpResponse:
    """Render the parts that are missing, and the frame around them."""
    if not is_fragment:
        response = render(request, template, {**context, "parts": parts})
        response.kept_texts = parts.texts(CONTENT)  # type: ignore[attr-defined]
        return response
    if FRAGMENT not in parts.html:
        with page_cache.keeping():
            html = render_to_string(template, {**context, **parts.context}, request)
        parts.html[FRAGMENT] = html
    return HttpResponse(page_cache.fill(parts.html[FRAGMENT], lambda: own_fields(request)))
