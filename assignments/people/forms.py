"""Forms of a person: name, e-mail address, organization, units and roles on one page."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from django import forms
from django.contrib.auth.forms import AdminPasswordChangeForm, UserChangeForm
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.forms.models import ModelChoiceIterator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from assignments.access import Access
from assignments.models import Unit, User
from assignments.people.cells import parse_address
from assignments.people.rights import foreign_address, given_roles, offered_units, visible_people
from assignments.people.write import set_units
from pmqa_tracker.parsing.cell import ReadCell
from pmqa_tracker.parsing.errors import UnreadableError

MOST_OFFERED = 200  # units on the page of a new person


class UnitIterator(ModelChoiceIterator):
    """The units as choices; those of several organizations in groups."""

    def __iter__(self) -> Iterator[Any]:
        units = sorted(self.queryset, key=lambda unit: unit.organization.short_name)
        groups = [(str(name), [self.choice(unit) for unit in each]) for name, each in groupby(units, _organization_of)]
        yield from groups if len(groups) > 1 else (choice for _name, choices in groups for choice in choices)


def _organization_of(unit: Unit) -> str:
    return unit.organization.short_name


class UnitsField(forms.ModelMultipleChoiceField):
    """Several units, each with its abbreviation and name."""

    iterator = UnitIterator
    widget = forms.CheckboxSelectMultiple

    def label_from_instance(self, unit: Unit) -> str:
        return unit.full_name


class PersonFields(forms.ModelForm):
    """The fields of every form of a person; `access` is that of the user who opens it."""

    access: Access
    units = UnitsField(Unit.objects.none(), required=False, label=gettext_lazy("units"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        is_new = self.instance.pk is None
        if is_new and not self.access.user.is_superuser:
            self.instance.organization = self.access.user.organization
        if "units" in self.fields:
            self.offer_units(None if is_new else self.instance)
            self.initial["units"] = [] if is_new else list(self.instance.memberships.values_list("unit", flat=True))
        if "groups" in self.fields:
            roles = self.fields["groups"]
            roles.queryset, roles.label, roles.help_text = given_roles(self.access), _("roles"), ""
        if is_new and "organization" in self.fields:
            organization = self.fields["organization"]
            organization.required, organization.help_text = True, ""
            organization.initial = self.access.user.organization or _only(organization.queryset)

    def offer_units(self, person: User | None) -> None:
        """Offer the units to choose from; not those of many organizations at once."""
        field, units = self.fields["units"], offered_units(self.access, person)
        if person is None and units.count() > MOST_OFFERED:
            units, field.help_text = units.none(), _("Save the person first: then choose the units.")
        field.queryset = units

    def clean_email(self) -> str:
        """Return the address in small letters.

        Raises:
            ValidationError: it is not an address, or another person has it. The message names that person if the user
                may see them.
        """
        try:
            address = parse_address(ReadCell(self.cleaned_data["email"]))
        except UnreadableError as error:
            raise ValidationError(error.message) from None
        is_taken = Q(email__iexact=address) | Q(username=address)  # people log in with either
        others = User.objects.filter(is_taken).exclude(pk=self.instance.pk)
        if address and (other := others.first()):
            if not visible_people(self.access).filter(pk=other.pk).exists():
                raise ValidationError(foreign_address(address))
            text = _("%(person)s (%(username)s) already has this address. Open that person, or write another address.")
            if other.email.lower() != address:
                text = _("Another account has this address as its user name. Write another address.")
            raise ValidationError(text % {"person": other, "username": other.username})
        return address

    def clean_groups(self) -> list[Group]:
        """Return the chosen roles, and those of the person that this user does not take."""
        chosen = list(self.cleaned_data["groups"])
        if self.instance.pk is None:
            return chosen
        return [*chosen, *self.instance.groups.exclude(pk__in=self.fields["groups"].queryset)]

    def clean_is_active(self) -> bool:
        if not self.cleaned_data["is_active"] and self.instance == self.access.user:
            raise ValidationError(_("You cannot deactivate your own account."))
        return self.cleaned_data["is_active"]

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        organization = data.get("organization", self.instance.organization)
        if organization is None:
            is_administrator = data.get("is_superuser", self.instance.is_superuser)
            if "organization" in self.fields and not is_administrator and not self.errors:
                self.add_error("organization", _("Choose an organization. Only an administrator can have none."))
            return data
        foreign = [unit.abbreviation for unit in data.get("units", ()) if unit.organization != organization]
        if foreign and "organization" not in self.errors:
            text = _("%(units)s: of another organization than the person. Take the tick away.")
            self.add_error("units", text % {"units": ", ".join(foreign)})
        return data

    def _save_m2m(self) -> None:
        super()._save_m2m()
        if "units" in self.cleaned_data:
            set_units(self.instance, self.cleaned_data["units"])


class PersonForm(PersonFields, UserChangeForm):
    """Change a person."""


class NewPersonForm(PersonFields):
    """Add a person, who sets their own password; the address becomes the user name."""

    class Meta:
        model = User
        fields = ("first_name", "last_name", "email", "organization", "groups")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["first_name"].required = self.fields["email"].required = True
        self.fields["email"].help_text = _("It becomes the user name.")

    def clean_email(self) -> str:
        """Return the address, which becomes the user name too."""
        self.instance.username = super().clean_email()
        return self.instance.username


class SavesOnlyPassword:
    """Saves the password of Django's forms and nothing else: somebody may deactivate the account at the same moment."""

    def set_password_and_save(self, user: User, *args: Any, commit: bool = True, **kwargs: Any) -> User:
        """Set the password, and save it."""
        super().set_password_and_save(user, *args, commit=False, **kwargs)  # type: ignore[misc]
        if commit:
            user.save(update_fields=["password", "must_change_password"])
        return user


class FirstPasswordForm(SavesOnlyPassword, AdminPasswordChangeForm):
    """A password that an administrator sets; its owner changes it at the next login."""

    def save(self, commit: bool = True) -> User:
        self.user.must_change_password = True
        return super().save(commit)


def _only(queryset: Any) -> Any:
    """Return the only record; None if there are several."""
    records = list(queryset[:2])
    return records[0] if len(records) == 1 else None
