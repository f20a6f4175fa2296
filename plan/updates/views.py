"""A posted update, wherever its form stood: on the action's page or in a row of my work."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest, QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from assignments.access import Access
from assignments.models import Unit
from plan.lookup import find_action
from plan.models import ActionItem, Plan, ProgressUpdate
from plan.models.update import ProgressUpdateQuerySet
from plan.updates.forms import UpdateForm
from plan.updates.record import (
    NotAllowedError,
    StaleUpdateError,
    check_may_report,
    find_by_op_id,
    is_same_update,
    record_update,
)
from pmqa_tracker import clock


@dataclass(frozen=True, kw_only=True)
class UpdatePanel:
    """The form of an action, or what stands in its place; `components/update_panel.html` draws it.

    Attributes:
        action: the action, as it is stored now.
        post_url: where the form is sent.
        reload_url: where its page stands as others left it, `anew` where an empty form does.
        form: None for users who may not report; `reason` says why.
        status: of the HTTP answer.
        update: what a posted form recorded; None where it did not.
        last: the last report of the action, to be read beside the fields; and the last one with words, if it has none.
        is_stale: another update came first; `newer_updates` are those, newest first.
        is_own: and it was the same user's, in another tab or on another device.
        refusal: why nothing was recorded; `typed` is what was, label and text.
    """

    action: ActionItem
    post_url: str
    reload_url: str
    empty_form_url: str
    form: UpdateForm | None = None
    reason: str = ""
    status: int = 200
    update: ProgressUpdate | None = None
    last: Sequence[ProgressUpdate] = ()
    is_stale: bool = False
    newer_updates: Sequence[ProgressUpdate] = ()
    is_own: bool = False
    refusal: str = ""
    typed: Sequence[tuple[str, str]] = field(default_factory=tuple)


def page_addresses(plan: Plan, action: ActionItem) -> dict[str, str]:
    """The addresses of a panel that stands on the action's own page."""
    here = reverse("action_detail", args=[plan.slug, action.ref])
    return {"post_url": here, "reload_url": here, "empty_form_url": f"{here}?anew#update"}


def open_panel(
    action: ActionItem, access: Access, addresses: dict[str, str], *, unit: Unit | None = None
) -> UpdatePanel:
    """The form of an action, unfilled, for who may report on it; `unit` is offered first."""
    form = UpdateForm(action=action, access=access, unit=unit) if access.may_add_result(action) else None
    last = read_last(action) if form else ()
    return UpdatePanel(action=action, form=form, reason=access.why_not_report(action), last=last, **addresses)


def read_last(action: ActionItem) -> list[ProgressUpdate]:
    """The last report of an action; where it has no words, the last one that has some follows."""
    updates = action.updates.without_undone().newest_first().select_related("author", "unit")
    last = updates.first()
    if last is None or last.result or last.problem or last.next_step:
        return [last] if last else []
    in_words = updates.exclude(result="", problem="", next_step="").first()
    return [last, in_words] if in_words else [last]


def answer_update(
    request: HttpRequest, plan: Plan, action: ActionItem, access: Access, addresses: dict[str, str]
) -> UpdatePanel:
    """Record one update; whatever refuses it, its panel comes back with every typed word and every accepted file."""
    form = UpdateForm(request.POST, request.FILES, action=action, access=access)
    where: dict[str, Any] = {"action": action, "form": form, **addresses}
    try:
        check_may_report(action, access)
        is_valid = form.is_valid()
        if made := find_by_op_id(action, request.POST.get("op_id", ""), access):
            if is_same_update(made, form.report()):
                return UpdatePanel(update=made, **where)
            raise StaleUpdateError(action)
        if is_outdated(request.POST, action):
            raise StaleUpdateError(action)
        if not is_valid:
            return UpdatePanel(status=422, last=read_last(action), **where)
        update = record_update(
            action=action,
            version=action.version,
            op_id=form.cleaned_data["op_id"],
            access=access,
            at=clock.now(),
            report=form.report(),
        )
        return UpdatePanel(update=update, **where)
    except ValidationError as error:
        form.add_error(None, error)
        return UpdatePanel(status=422, last=read_last(action), **where)
    except NotAllowedError as error:
        where["form"] = None
        return UpdatePanel(status=403, refusal=str(error), typed=form.typed_text(), **where)
    except StaleUpdateError:
        return _conflict(find_action(plan, action.ref), access, request.POST, form, addresses)


def is_outdated(posted: QueryDict, action: ActionItem) -> bool:
    """Whether the action has changed since the form was opened; `record_update` compares once more as it writes."""
    return posted.get("version") != str(action.version)


def updates_since(action: ActionItem, version: int) -> ProgressUpdateQuerySet:
    """The updates of an action after the copy with a version, newest first."""
    return action.updates.with_undone().newest_first().filter(version__gt=version).select_related("author", "unit")


def are_own(updates: Sequence[ProgressUpdate], access: Access) -> bool:
    """Whether the user wrote all of these, so that a conflict with them is one with another tab or device."""
    return bool(updates) and all(update.author_id == access.user.pk for update in updates)


def why_skipped(action: ActionItem, version: int, access: Access) -> str:
    """Why "no change" was not recorded for an action that its author saw with a version."""
    if reason := access.why_not_report(action):
        return reason
    if not access.may_change_status(action):
        return _("Only a lead unit changes the status; a supporting unit adds results and evidence.")
    if are_own(list(updates_since(action, version)), access):
        return _("You changed it yourself, in another tab or on another device. Look at it again.")
    return _("Somebody changed it meanwhile. Look at it again.")


def _conflict(
    action: ActionItem, access: Access, posted: QueryDict, sent: UpdateForm, addresses: dict[str, str]
) -> UpdatePanel:
    """The panel after somebody else wrote first: theirs beside what was typed, which is still in its fields."""
    seen = posted.get("version", "")
    theirs = list(updates_since(action, int(seen) if seen.isdecimal() else 0).prefetch_related("evidence"))
    posted = posted.copy()
    posted["version"] = str(action.version)
    if find_by_op_id(action, posted.get("op_id", ""), access):
        posted["op_id"] = str(UpdateForm(action=action, access=access).initial["op_id"])
    posted.setlist("kept", [token for token, _staged in sent.kept])
    form = UpdateForm(posted, action=action, access=access)
    form.is_valid()
    return UpdatePanel(
        action=action,
        form=form,
        status=409,
        is_stale=True,
        newer_updates=theirs,
        is_own=are_own(theirs, access),
        **addresses,
    )
