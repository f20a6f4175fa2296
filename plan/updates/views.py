"""The update form with its panel: open it and answer a post, on the action's page or in a row of the work list."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import BigAutoField, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from assignments.access import Access
from assignments.models import Unit
from plan.lookup import find_action
from plan.models import ActionItem, Plan, ProgressUpdate
from plan.models.update import ProgressUpdateQuerySet
from plan.updates.forms import LAST_TEXTS, UpdateForm
from plan.updates.record import ONLY_LEADS, check_may_report, record_update
from pmqa_tracker import clock
from pmqa_tracker.forms import with_new_op_id
from pmqa_tracker.prepared import Given, read_prepared
from pmqa_tracker.write_once import NotAllowedError, StaleVersionError


@dataclass(frozen=True, kw_only=True)
class UpdatePanel:
    """The form of an action, or what replaces it; `components/update_panel.html` renders it.

    Attributes:
        action: the action as stored now.
        post_url: URL that the form is posted to.
        reload_url: URL of the page without the typed text.
        empty_form_url: URL of an empty form.
        last_text_url: URL of a form with the texts of the last update.
        form: None for users who may not report; `reason` says why.
        status: HTTP status of the response.
        update: the update recorded from the posted form, or None.
        latest_updates: the latest update, shown next to the fields; if it has no text, also the latest one with text.
        is_stale: the action was updated after the form was opened; `newer_updates` are these updates, newest first.
        is_own_conflict: the user made all of these, in another tab or on another device.
        refusal: why nothing was recorded; `typed_text` is (label, text) of what was typed.
    """

    action: ActionItem
    post_url: str
    reload_url: str
    empty_form_url: str
    last_text_url: str
    form: UpdateForm | None = None
    reason: str = ""
    status: int = 200
    update: ProgressUpdate | None = None
    latest_updates: Sequence[ProgressUpdate] = ()
    is_stale: bool = False
    newer_updates: Sequence[ProgressUpdate] = ()
    is_own_conflict: bool = False
    refusal: str = ""
    typed_text: Sequence[tuple[str, str]] = field(default_factory=tuple)

    @property
    def has_last_texts(self) -> bool:
        """Whether the latest updates shown next to the fields have a text to fill in."""
        return any(getattr(update, name) for update in self.latest_updates for name in LAST_TEXTS)


def page_form_urls(plan: Plan, action: ActionItem) -> dict[str, str]:
    """Return the URLs of a panel on the action's own page."""
    here = reverse("action_detail", args=[plan.slug, action.ref])
    return {
        "post_url": here,
        "reload_url": here,
        "empty_form_url": f"{here}?anew#update",
        "last_text_url": f"{here}?last_text#update",
    }


def open_panel(
    action: ActionItem,
    access: Access,
    urls: dict[str, str],
    *,
    unit: Unit | None = None,
    has_last_text: bool = False,
) -> UpdatePanel:
    """Return the panel with an empty form, or with the reason why there is none.

    Args:
        action: the action.
        access: the access of the user.
        urls: the URLs of the panel.
        unit: the unit selected first.
        has_last_text: whether the texts of the last update are filled in.
    """
    form, latest_updates = None, []
    if access.may_add_result(action):
        latest_updates = read_latest_updates(action)
        last = latest_updates[-1] if has_last_text and latest_updates else None
        form = UpdateForm(action=action, access=access, unit=unit, last=last)
    return UpdatePanel(
        action=action, form=form, reason=access.why_not_report(action), latest_updates=latest_updates, **urls
    )


def read_latest_updates(action: ActionItem) -> list[ProgressUpdate]:
    """Return the latest update of an action and, if it has no text, also the latest one with text."""

    def build() -> QuerySet[ProgressUpdate]:
        rows = ProgressUpdate.objects.without_undone().filter(action=Given("action", BigAutoField()))
        return rows.newest_first().select_related("author", "unit")

    def with_text() -> QuerySet[ProgressUpdate]:
        return build().exclude(result="", problem="", next_step="")[:1]

    last = read_prepared("last update", lambda: build()[:1], action=action.pk)
    if not last or last[0].result or last[0].problem or last[0].next_step:
        return last
    return last + read_prepared("last update with text", with_text, action=action.pk)


def answer_update(
    request: HttpRequest, plan: Plan, action: ActionItem, access: Access, urls: dict[str, str]
) -> UpdatePanel:
    """Record an update; if it is refused, the panel keeps the typed text and the accepted files."""
    form = UpdateForm(request.POST, request.FILES, action=action, access=access)
    where: dict[str, Any] = {"action": action, "form": form, **urls}
    try:
        check_may_report(action, access)
        if not form.is_valid() and not form.is_stale:
            return UpdatePanel(status=422, latest_updates=read_latest_updates(action), **where)
        if not form.is_intact:
            raise StaleVersionError(action)
        update = record_update(
            action=action,
            version=form.cleaned_data["version"],
            op_id=form.cleaned_data["op_id"],
            access=access,
            at=clock.now(),
            data=form.to_input(),
        )
        return UpdatePanel(update=update, **where)
    except ValidationError as error:
        form.add_error(None, error)
        return UpdatePanel(status=422, latest_updates=read_latest_updates(action), **where)
    except NotAllowedError as error:
        where["form"] = None
        return UpdatePanel(status=403, refusal=str(error), typed_text=form.typed_text(), **where)
    except StaleVersionError:
        return _conflict(find_action(plan, action.ref), access, form, urls)


def updates_since(action: ActionItem, version: int) -> ProgressUpdateQuerySet:
    """Return the updates of an action after a version, newest first."""
    return action.updates.with_undone().newest_first().filter(version__gt=version).select_related("author", "unit")


def are_by_user(updates: Sequence[ProgressUpdate], access: Access) -> bool:
    """Return whether the user wrote all of these updates, in another tab or on another device."""
    return bool(updates) and all(update.author_id == access.user.pk for update in updates)


def why_skipped(action: ActionItem, version: int, access: Access) -> str:
    """Return why "no change" was not recorded for an action that the user saw in this version."""
    if reason := access.why_not_report(action):
        return reason
    if not access.may_change_status(action):
        return str(ONLY_LEADS)
    if are_by_user(list(updates_since(action, version)), access):
        return _("You changed it yourself, in another tab or on another device. Look at it again.")
    return _("Somebody changed it meanwhile. Look at it again.")


def _conflict(action: ActionItem, access: Access, posted_form: UpdateForm, urls: dict[str, str]) -> UpdatePanel:
    """Return the conflict panel: the newer updates next to the form, which keeps the typed text."""
    newer_updates = list(updates_since(action, posted_form.cleaned_data.get("version", 0)).prefetch_related("evidence"))
    posted = with_new_op_id(posted_form.data, action.version)
    posted.setlist("kept", [token for token, _staged in posted_form.staged_files])
    form = UpdateForm(posted, action=action, access=access)
    form.is_valid()
    return UpdatePanel(
        action=action,
        form=form,
        status=409,
        is_stale=True,
        newer_updates=newer_updates,
        is_own_conflict=are_by_user(newer_updates, access),
        **urls,
    )
