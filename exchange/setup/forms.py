"""Forms of the first steps: the organization, units in rows, and a plan without actions."""

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from assignments.models import Organization, Unit
from criteria.models import Assessment, Framework
from plan.models import Plan
from pmqa_tracker import thai
from pmqa_tracker.forms import BuddhistDateField

UNIT_ROWS = 6  # rows of the form of units
MAX_YEARS = 5  # of a plan; more is a typing error


class OrganizationForm(forms.ModelForm):
    """A new organization."""

    class Meta:
        model = Organization
        fields = ("name", "short_name", "parent")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].help_text = _("In full, such as กรมสวัสดิการและคุ้มครองแรงงาน")
        if not self.fields["parent"].queryset.exists():
            del self.fields["parent"]


class OwnOrganizationForm(forms.Form):
    """One of the organizations that exist, as that of the administrator."""

    existing = forms.ModelChoiceField(Organization.objects.in_order(), label=gettext_lazy("Organization"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["existing"].label_from_instance = lambda each: each.name


class UnitRowForm(forms.ModelForm):
    """A row with a new unit of an organization."""

    class Meta:
        model = Unit
        fields = ("abbreviation", "name_th")

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, instance=Unit(organization=organization), **kwargs)

    def _get_validation_exclusions(self) -> set[str]:
        """Check the constraint on organization and abbreviation too."""
        return super()._get_validation_exclusions() - {"organization"}


class UnitRows(forms.BaseFormSet):
    """Rows with new units; rows without any text are left out."""

    @property
    def filled(self) -> list[UnitRowForm]:
        """The rows with a text."""
        return [form for form in self.forms if form.has_changed()]

    def clean(self) -> None:
        """Refuse a form without any unit, and an abbreviation that another row has."""
        seen: set[str] = set()
        for form in self.filled:
            abbreviation = thai.fold(form.cleaned_data.get("abbreviation", ""))
            if abbreviation and abbreviation in seen:
                form.add_error("abbreviation", _("Another row has this abbreviation."))
            seen.add(abbreviation)
        if not self.filled:
            raise ValidationError(_("Write at least one unit with its abbreviation and its name."))


UnitFormSet = forms.formset_factory(UnitRowForm, formset=UnitRows, extra=UNIT_ROWS, max_num=UNIT_ROWS, absolute_max=100)


class EmptyPlanForm(forms.ModelForm):
    """A plan of an organization with its dates and its assessment; actions are added later."""

    framework = forms.ModelChoiceField(
        Framework.objects.in_order(),
        label=gettext_lazy("Edition of the standard"),
        help_text=gettext_lazy("The edition by which the department was assessed"),
    )
    assessment_name = forms.CharField(
        label=gettext_lazy("Assessment answered"),
        max_length=Assessment._meta.get_field("name").max_length,
        help_text=gettext_lazy(
            "Such as ผลการตรวจประเมิน PMQA พ.ศ. 2566. An assessment with this name is used if there is one."
        ),
    )
    kind = forms.ChoiceField(label=gettext_lazy("Kind of assessment"), choices=Assessment.Kind)

    class Meta:
        model = Plan
        fields = ("title", "slug", "starts_on", "ends_on")
        field_classes = {"starts_on": BuddhistDateField, "ends_on": BuddhistDateField}

    def __init__(self, *args: Any, organization: Organization, today: date, **kwargs: Any) -> None:
        """Suggest a plan of the fiscal year of `today`."""
        year = thai.fiscal_year(today)
        suggested = {
            "title": _("Improvement plan of %(organization)s, fiscal year %(year)s")
            % {"organization": organization.name, "year": year},
            "slug": str(year),
            "starts_on": date(year - thai.BUDDHIST_ERA - 1, 10, 1),
            "ends_on": date(year - thai.BUDDHIST_ERA, 9, 30),
            "framework": Framework.objects.in_order().first(),
        }
        super().__init__(*args, instance=Plan(organization=organization), initial=suggested, **kwargs)
        self.order_fields(("title", "slug", "starts_on", "ends_on", "framework", "assessment_name", "kind"))

    def clean(self) -> dict[str, Any]:
        """Refuse a plan of too many years, and the name of an assessment by another edition."""
        data = super().clean()
        first, last = data.get("starts_on"), data.get("ends_on")
        if first and last and (last - first).days > MAX_YEARS * 366:
            self.add_error("ends_on", _("A plan runs for %(count)s years at most.") % {"count": MAX_YEARS})
        assessment = self.instance.organization.assessments.filter(name=data.get("assessment_name", "")).first()
        if assessment and data.get("framework") and assessment.framework_id != data["framework"].pk:
            text = _("The assessment with this name used another edition. Write another name, or choose that edition.")
            self.add_error("assessment_name", text)
        return data
