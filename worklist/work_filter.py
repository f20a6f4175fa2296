"""Filter of งานของฉัน (my work) as its URL has it, and the URLs of the page and its rows."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from assignments.access import Access, access_of
from assignments.models import Role, Unit
from plan.lookup import warn_ignored_parameters
from plan.models import ActionItem, Plan, Status
from pmqa_tracker import thai


@dataclass(frozen=True, kw_only=True)
class WorkFilter:
    """What the page is narrowed to.

    Attributes:
        role: a Role.
        unit: one of the user's units; None for all of them.
        text: part of the ref or text of an action, as typed.
        criterion: code of a criterion.
        status: a Status.
    """

    role: str
    unit: Unit | None
    text: str = ""
    criterion: str = ""
    status: str = ""

    @property
    def query(self) -> dict[str, str]:
        """The query parameters that keep the filter."""
        query = {"role": str(self.role)} if self.role != Role.LEAD else {}
        query |= {"unit": self.unit.abbreviation} if self.unit else {}
        rest = {"q": self.text, "criterion": self.criterion, "status": self.status}
        return query | {name: value for name, value in rest.items() if value}

    @property
    def is_narrow(self) -> bool:
        """Whether it hides some rows of the role and unit."""
        return bool(self.text or self.criterion or self.status)

    @property
    def widest(self) -> "WorkFilter":
        """The same role, without any filter."""
        return WorkFilter(role=self.role, unit=None)

    @cached_property
    def search_key(self) -> str:
        """The text to look for in `ActionItem.search_text`."""
        return thai.search_key(self.text)

    def matches(self, action: ActionItem) -> bool:
        """Return whether an action as of a day has the text, the criterion and the status."""
        return (
            self.search_key in action.search_text
            and self.criterion in ("", action.criterion.code)
            and self.status in ("", action.status_on)
        )

    def narrow(self, access: Access) -> Access:
        """Return the access of the user as a member of the chosen unit only."""
        return access.as_member_of(self.unit) if self.unit else access

    def default_unit(self, action: ActionItem, access: Access) -> Unit | None:
        """Return the unit that a form in a row reports for by default; None leaves it to `Access.default_unit`."""
        own = self.narrow(access).own_units_in(action)
        leads = [unit for unit in own if access.as_member_of(unit).has_role_in(action, self.role)]
        return leads[0] if leads and (self.unit or self.role == Role.SUPPORT) else None

    def showing(self, action: ActionItem, access: Access) -> "WorkFilter":
        """Return the filter without its unit, if that has no part in the action."""
        return replace(self, unit=None) if self.unit and self.unit not in access.own_units_in(action) else self


def read_work_filter(request: HttpRequest) -> WorkFilter:
    """Read the filter from the URL; role LEAD by default. Units of which the user is no member are ignored."""
    asked = request.GET
    role = thai.match_spelling(asked.get("role", ""), Role.values)
    status = thai.match_spelling(asked.get("status", ""), Status.values)
    units = {each.abbreviation: each for each in access_of(request).units}
    return WorkFilter(
        role=Role.SUPPORT if role == Role.SUPPORT else Role.LEAD,
        unit=units.get(thai.match_spelling(asked.get("unit", ""), units)) if len(units) > 1 else None,
        text=asked.get("q", "").strip(),
        criterion=thai.fold(asked.get("criterion", "")).strip(),
        status=status if status in Status.values else "",
    )


def warn_ignored(request: HttpRequest, used: WorkFilter) -> None:
    """Warn about parameters of the URL that do not narrow the page, which shows `used`."""
    asked = {name: value.strip() for name, value in request.GET.items()}
    units = [each.abbreviation for each in access_of(request).units]
    is_used = {
        "role": thai.match_spelling(asked.get("role", ""), Role.values) == used.role,
        "unit": used.unit is not None or thai.match_spelling(asked.get("unit", ""), units) in units,
        "criterion": bool(used.criterion),
        "status": bool(used.status),
    }
    labels = {"role": _("Role in the work"), "unit": _("Unit"), "criterion": _("Criterion"), "status": _("Status")}
    ignored = [labels[name] for name in labels if asked.get(name) and not is_used[name]]
    warn_ignored_parameters(request, ("q", "show", *labels), ignored)


def my_url(plan: Plan, work_filter: WorkFilter, **more: Any) -> str:
    """Return the URL of งานของฉัน with a filter."""
    return with_query(reverse("my", args=[plan.slug]), work_filter.query | more)


def unchanged_url(plan: Plan, work_filter: WorkFilter) -> str:
    """Return the URL that records "no change" for rows of the page."""
    return with_query(reverse("my_unchanged", args=[plan.slug]), work_filter.query)


def row_form_urls(plan: Plan, action: ActionItem, work_filter: WorkFilter) -> dict[str, str]:
    """Return the URLs of an update form in a row; see `UpdatePanel`."""
    row_url, query = reverse("my_row", args=[plan.slug, action.ref]), work_filter.query
    form_url = with_query(row_url, query)
    return {
        "post_url": form_url,
        "reload_url": with_query(row_url, query | {"closed": 1}),
        "empty_form_url": form_url,
        "last_text_url": with_query(row_url, query | {"last_text": 1}),
    }


def with_query(url: str, query: dict[str, Any]) -> str:
    """Return a URL with query parameters."""
    return f"{url}?{urlencode(query)}" if query else url
