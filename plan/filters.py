"""The filters of a list of actions; their names are the parameters of its address."""

from typing import Any

import django_filters
from django import forms
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from assignments.models import Role, Unit
from criteria.models import Category, Level
from plan.as_of import AsOf
from plan.models import Due, Health, Status
from plan.models.action import PLAN_ORDER, ActionItemQuerySet
from pmqa_tracker import thai


class UpdatedChoice:
    """Whether anything was told in the period that runs."""

    CHOICES = (("yes", _("Updated this period")), ("no", _("Silent this period")))


class SortChoice:
    """Orders of the list."""

    CHOICES = (
        ("", _("As in the plan")),
        ("due", _("Due first")),
        ("behind", _("Furthest behind first")),
        ("updated", _("Latest update first")),
    )
    FIELDS = {
        "due": (F("last_period__ends_on").asc(nulls_last=True), "first_period__starts_on"),
        "updated": (F("updated_at").desc(nulls_last=True),),
    }


class ActionFilter(django_filters.FilterSet):
    """Narrows `actions`, which stand `as_of` a day, by what the address says.

    A value nobody offers is left out; `unknown` names such parameters so that the page can say so.
    """

    q = django_filters.CharFilter(label=_("Text or ref"), method="by_text")
    category = django_filters.ModelChoiceFilter(
        label=_("Category"),
        field_name="criterion__category",
        to_field_name="number",
        queryset=Category.objects.in_order(),
        empty_label=_("All categories"),
    )
    level = django_filters.ChoiceFilter(
        label=_("Level"), choices=Level.choices, method="by_level", empty_label=_("All levels")
    )
    unit = django_filters.ModelChoiceFilter(
        label=_("Unit"),
        to_field_name="abbreviation",
        queryset=Unit.objects.in_order(),
        method="by_unit",
        empty_label=_("All units"),
    )
    role = django_filters.ChoiceFilter(
        label=_("As"), choices=Role.choices, method="by_role", empty_label=_("Lead or support")
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
    sort = django_filters.ChoiceFilter(
        label=_("Order"),
        choices=SortChoice.CHOICES[1:],
        method="by_sort",
        empty_label=SortChoice.CHOICES[0][1],
    )

    def __init__(self, data: Any, actions: ActionItemQuerySet, *, as_of: AsOf) -> None:
        self.as_of = as_of
        super().__init__(data, queryset=actions.as_of(as_of))
        periods = [(str(period.number), period.label) for period in as_of.periods]
        for name in ("period", "begins", "ends"):
            self.form.fields[name].choices = [("", _("All periods")), *periods]
        self.form.fields["q"].widget = forms.TextInput(attrs={"type": "search"})

    @property
    def unknown(self) -> list[str]:
        """The labels of parameters whose value nobody offers."""
        return [str(self.form.fields[name].label) for name in self.form.errors]

    @property
    def active_count(self) -> int:
        """How many filters narrow the list; the order is not one."""
        return sum(1 for name, value in self.form.cleaned_data.items() if value and name != "sort")

    @property
    def is_deep(self) -> bool:
        """Whether any of the filters narrows that a page keeps folded away."""
        chosen = {name for name, value in self.form.cleaned_data.items() if value}
        return bool(chosen - {"q", "status", "unit", "role"})

    def by_text(self, actions: ActionItemQuerySet, name: str, value: str) -> ActionItemQuerySet:
        return actions.matching(value) if thai.search_key(value) else actions

    def by_level(self, actions: ActionItemQuerySet, name: str, value: str) -> ActionItemQuerySet:
        return actions.at_level(int(value))

    def by_unit(self, actions: ActionItemQuerySet, name: str, value: Unit) -> ActionItemQuerySet:
        return actions.for_units([value], role=self.form.cleaned_data.get("role", ""))

    def by_role(self, actions: ActionItemQuerySet, name: str, value: str) -> ActionItemQuerySet:
        return actions  # a role is asked of a unit: `by_unit` reads it

    def by_period(self, actions: ActionItemQuerySet, name: str, value: str) -> ActionItemQuerySet:
        return actions.running_in(int(value))

    def by_update(self, actions: ActionItemQuerySet, name: str, value: str) -> ActionItemQuerySet:
        return actions.updated_in(self.as_of) if value == "yes" else actions.silent_in(self.as_of)

    def by_sort(self, actions: ActionItemQuerySet, name: str, value: str) -> ActionItemQuerySet:
        if value == "behind":
            return actions.behind_first()
        return actions.order_by(*SortChoice.FIELDS[value], *PLAN_ORDER)
