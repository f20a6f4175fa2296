"""Filters and sort orders of the list of actions; their names are its URL parameters."""

from collections.abc import Collection
from typing import Any

import django_filters
from django import forms
from django.db.models import Case, Exists, F, Model, OuterRef, Q, QuerySet, Subquery, Value, When
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from assignments.models import Assignment, Role, Unit
from assignments.unit_names import find_unit_by_name
from criteria.models import Category, Criterion, Level, Requirement
from plan.as_of import AsOf
from plan.models import Age, Change, Due, Health, Plan, Status
from plan.models.action import PLAN_ORDER, ActionItemQuerySet
from plan.models.status import CLOSED
from pmqa_tracker import thai
from pmqa_tracker.database_text import by_thai, find_named


class UpdatedChoice:
    """Values of the filter for updates in the current period."""

    CHOICES = (("yes", _("Updated this period")), ("no", _("Silent this period")))


class ScopeChoice:
    """Parts of the plan that the figures count."""

    CHOICES = (
        ("counted", _("Not cancelled")),
        ("open", _("Not closed")),
        ("at_work", _("Should be moving")),
    )


class SortChoice:
    """Sort orders of the list."""

    ORDERS = (
        ("due", _("Due first")),
        ("behind", _("Furthest behind first")),
        ("updated", _("Latest update first")),
        ("lead", _("By lead unit")),
        ("support", _("By supporting unit")),
        ("level", _("By level")),
        ("status", _("By status")),
        ("progress", _("Least progress first")),
    )
    FIRST = ("", _("As in the plan"))
    CHOICES = (
        FIRST,
        *ORDERS,
        *((f"-{name}", format_lazy("{} ({})", label, _("reversed"))) for name, label in (("plan", FIRST[1]), *ORDERS)),
    )


def _first_unit(role: str) -> Subquery:
    """Return the abbreviation of the first unit of an action in a role, as an expression."""
    units = Assignment.objects.filter(action=OuterRef("pk"), role=role).in_order()
    return Subquery(units.values("unit__abbreviation")[:1])


def sort_actions(actions: ActionItemQuerySet, order: str) -> ActionItemQuerySet:
    """Return actions as of a day in one of the orders of `SortChoice`, reversed after "-"; empty values come last."""
    name, is_reversed = order.removeprefix("-"), order.startswith("-")
    if name in ("plan", "behind"):
        actions = actions.in_order() if name == "plan" else actions.behind_first()
        return actions.reverse() if is_reversed else actions
    if name in ("lead", "support"):
        actions = actions.alias(first_unit=_first_unit(Role.LEAD if name == "lead" else Role.SUPPORT))
    levels = Requirement.objects.filter(actions=OuterRef("pk")).order_by("level").values("level")
    keys = {
        "due": (F("last_period__ends_on"), F("first_period__starts_on")),
        "updated": (F("updated_at"),),
        "lead": (by_thai("first_unit"),),
        "support": (by_thai("first_unit"),),
        "level": (Subquery(levels[:1]),),
        "status": (Case(*(When(status_on=each, then=Value(place)) for place, each in enumerate(Status))),),
        "progress": (F("progress_on"),),
    }[name]
    is_descending = is_reversed != (name == "updated")
    ordering = [key.desc(nulls_last=True) if is_descending else key.asc(nulls_last=True) for key in keys]
    return actions.order_by(*ordering, *PLAN_ORDER)


class RecordField(django_filters.fields.ModelChoiceField):
    """Choice of a record; the one that `found` has is not read again."""

    found: Model | None = None

    def to_python(self, value: Any) -> Any:
        """Return the record that a value names."""
        is_found = self.found is not None and str(getattr(self.found, self.to_field_name)) == value
        return self.found if is_found else super().to_python(value)


class RecordFilter(django_filters.ModelChoiceFilter):
    """Filter by a record."""

    field_class = RecordField


class ActionFilter(django_filters.FilterSet):
    """Filters actions as of a day by the parameters of the URL.

    A value that is not offered is ignored; `ignored` has the labels of such parameters for a warning on the page.
    """

    q = django_filters.CharFilter(label=_("Text or ref"), method="by_text")
    category = RecordFilter(
        label=_("Category"),
        field_name="criterion__category",
        to_field_name="number",
        empty_label=_("All categories"),
    )
    criterion = RecordFilter(
        label=_("Criterion"),
        to_field_name="code",
        method="by_criterion",
        empty_label=_("All criteria"),
    )
    level = django_filters.ChoiceFilter(
        label=_("Level"), choices=Level.choices, method="by_level", empty_label=_("All levels")
    )
    unit = RecordFilter(
        label=_("Unit"),
        to_field_name="abbreviation",
        method="by_unit",
        empty_label=_("All units"),
    )
    role = django_filters.ChoiceFilter(
        label=_("As"), choices=Role.choices, method="by_role", empty_label=_("Lead or support")
    )
    partner = RecordFilter(
        label=_("Together with"),
        to_field_name="abbreviation",
        method="by_partner",
        empty_label=_("Any unit"),
    )
    status = django_filters.ChoiceFilter(
        label=_("Status"), choices=Status.choices, field_name="status_on", empty_label=_("All statuses")
    )
    health = django_filters.ChoiceFilter(label=_("Health"), choices=Health.choices, empty_label=_("All health"))
    due = django_filters.ChoiceFilter(label=_("Due"), choices=Due.choices, empty_label=_("Any time"))
    period = django_filters.ChoiceFilter(label=_("Runs in"), method="by_period", empty_label=_("All periods"))
    begins = django_filters.ChoiceFilter(
        label=_("Begins in"), field_name="first_period__number", empty_label=_("All periods")
    )
    ends = django_filters.ChoiceFilter(
        label=_("Ends in"), field_name="last_period__number", empty_label=_("All periods")
    )
    updated = django_filters.ChoiceFilter(
        label=_("Reported"), choices=UpdatedChoice.CHOICES, method="by_update", empty_label=_("With or without")
    )
    scope = django_filters.ChoiceFilter(
        label=_("Only those"), choices=ScopeChoice.CHOICES, method="by_scope", empty_label=_("All of them")
    )
    age = django_filters.ChoiceFilter(
        label=_("Overdue for"), choices=Age.choices, method="by_age", empty_label=_("Any time")
    )
    change = django_filters.ChoiceFilter(
        label=_("What changed"), choices=Change.choices, method="by_change", empty_label=_("Anything or nothing")
    )
    sort = django_filters.ChoiceFilter(
        label=_("Order"),
        choices=SortChoice.CHOICES[1:],
        method="by_sort",
        empty_label=SortChoice.CHOICES[0][1],
    )

    def __init__(
        self,
        data: Any,
        plan: Plan,
        *,
        as_of: AsOf,
        since: AsOf | None = None,
        only: Collection[str] = (),
    ) -> None:
        """Set up.

        Args:
            data: the parameters of the URL.
            plan: the plan whose actions are filtered; the filters offer its units, categories and criteria.
            as_of: the day of the page.
            since: the earlier day that “What changed” compares with; without it, that filter is not offered.
            only: names of the filters to offer; empty for all of them.
        """
        self.as_of = as_of
        self.since = since
        super().__init__(data, queryset=plan.actions.all())
        units = plan.organization.units.in_order()
        self.filters["category"].queryset = plan.framework.categories.in_order()
        self.filters["criterion"].queryset = plan.framework.criteria.in_order()
        self.filters["unit"].queryset, self.filters["partner"].queryset = units, units
        if since is None:
            del self.filters["change"]
        for name in set(self.filters) - set(only or self.filters):
            del self.filters[name]
        periods = [(str(period.number), period.label) for period in as_of.periods]
        for name in {"period", "begins", "ends"} & set(self.filters):
            self.form.fields[name].choices = [("", _("All periods")), *periods]
        self.data = self.form.data = self._normalized_data()
        if "q" in self.filters:
            self.form.fields["q"].widget = forms.TextInput(attrs={"type": "search"})

    def _normalized_data(self) -> dict[str, Any]:
        """Return the parameters of the URL, each value in the spelling that the page offers."""
        data = {name: self.data.get(name) for name in self.data}
        for name, field in self.form.fields.items():
            typed = str(data.get(name) or "")
            if typed and isinstance(field, RecordField):
                field.found = _find(field.queryset, field.to_field_name, typed)
                data[name] = str(getattr(field.found, field.to_field_name)) if field.found else typed
            elif typed and isinstance(field, forms.ChoiceField):
                data[name] = thai.match_spelling(typed, [str(value) for value, _label in field.choices if value])
        return data

    def filter_queryset(self, queryset: ActionItemQuerySet) -> ActionItemQuerySet:
        """Filter actions as of the day."""
        return super().filter_queryset(queryset.as_of(self.as_of))

    @property
    def key(self) -> tuple[Any, ...]:
        """All that the query depends on besides the plan, for `read_prepared`."""
        chosen = tuple((name, getattr(value, "pk", value)) for name, value in self.active.items())
        return self.as_of.key, self.since and self.since.key, chosen

    @property
    def ignored(self) -> list[str]:
        """Labels of the parameters whose value is not offered."""
        return [str(self.form.fields[name].label) for name in self.form.errors]

    @property
    def active_count(self) -> int:
        """Number of active filters, without the sort order."""
        return len(set(self.active) - {"sort"})

    @property
    def query(self) -> dict[str, str]:
        """URL parameters of the active filters, without the sort order."""
        return {name: str(self.data[name]) for name, value in self.active.items() if name != "sort"}

    @property
    def active(self) -> dict[str, Any]:
        """Name → value of the active filters and of the sort order."""
        self.form.is_valid()  # fills `cleaned_data`
        return {name: value for name, value in self.form.cleaned_data.items() if value}

    @property
    def reporters(self) -> list[int] | None:
        """The pk of the filtered unit in a list, if its updates count; None if the updates of all units count.

        A supporting unit owes no updates: with that role, the list shows the missing updates of the lead units.
        """
        unit, role = (self.form.cleaned_data.get(name) for name in ("unit", "role"))
        return [unit.pk] if unit and role != Role.SUPPORT else None

    @property
    def descriptions(self) -> list[str]:
        """The active filters as texts such as "หมวด: หมวด 1 การนำองค์การ"."""
        texts = []
        for name, value in self.active.items():
            field = self.form.fields[name]
            if isinstance(field, django_filters.fields.ChoiceField):
                value = {str(key): label for key, label in field.choices}[str(value)]
            texts.append(f"{field.label}: {value}")
        return texts

    @property
    def is_deep(self) -> bool:
        """Whether a filter is active that the page shows only when its details are opened."""
        return bool(set(self.active) - {"q", "status", "unit", "role"})

    def by_text(self, actions: ActionItemQuerySet, name: str, value: str) -> ActionItemQuerySet:
        return actions.matching(value) if thai.search_key(value) else actions

    def by_criterion(self, actions: ActionItemQuerySet, name: str, value: Criterion) -> ActionItemQuerySet:
        """Actions that answer a requirement of the criterion or its children, at the chosen level if there is one."""
        own = Q(criterion=value) | Q(criterion__parent=value)
        answered = Requirement.objects.filter(own, actions=OuterRef("pk"))
        level = self.form.cleaned_data.get("level")
        return actions.filter(Exists(answered.filter(level=level)) if level else Exists(answered) | own)

    def by_partner(self, actions: ActionItemQuerySet, name: str, value: Unit) -> ActionItemQuerySet:
        """Actions in which this unit has the other role than `unit`."""
        other = {Role.LEAD: Role.SUPPORT, Role.SUPPORT: Role.LEAD}
        return actions.for_units([value], role=other.get(self.form.cleaned_data.get("role"), ""))

    def by_scope(self, actions: ActionItemQuerySet, name: str, value: str) -> ActionItemQuerySet:
        if value == "at_work":
            return actions.at_work()
        return (
            actions.exclude(status_on=Status.CANCELLED) if value == "counted" else actions.exclude(status_on__in=CLOSED)
        )

    def by_age(self, actions: ActionItemQuerySet, name: str, value: str) -> ActionItemQuerySet:
        return actions.late_by(Age(value), self.as_of)

    def by_change(self, actions: ActionItemQuerySet, name: str, value: str) -> ActionItemQuerySet:
        return actions.since(self.since, self.as_of, self.reporters).filter(**{Change(value).field: True})

    def by_level(self, actions: ActionItemQuerySet, name: str, value: str) -> ActionItemQuerySet:
        return actions.at_level(int(value))

    def by_unit(self, actions: ActionItemQuerySet, name: str, value: Unit) -> ActionItemQuerySet:
        return actions.for_units([value], role=self.form.cleaned_data.get("role", ""))

    def by_role(self, actions: ActionItemQuerySet, name: str, value: str) -> ActionItemQuerySet:
        return actions  # `by_unit` and `by_partner` read the role

    def by_period(self, actions: ActionItemQuerySet, name: str, value: str) -> ActionItemQuerySet:
        return actions.running_in(int(value))

    def by_update(self, actions: ActionItemQuerySet, name: str, value: str) -> ActionItemQuerySet:
        select = actions.updated_in if value == "yes" else actions.silent_in
        return select(self.as_of, self.reporters)

    def by_sort(self, actions: ActionItemQuerySet, name: str, value: str) -> ActionItemQuerySet:
        return sort_actions(actions, value)


def _find(rows: QuerySet, field: str, name: str) -> Model | None:
    """Return the row that a URL parameter names."""
    if rows.model is Unit:
        return find_unit_by_name(rows, name)
    if rows.model is Category:
        digits = thai.fold(name).strip()
        return rows.filter(number=int(digits)).first() if digits.isdecimal() and len(digits) < 5 else None
    return find_named(rows, field, name)
