"""Model forms and formsets that check the version of the record."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.models import BaseInlineFormSet, BaseModelFormSet
from django.utils.translation import gettext as _

from pmqa_tracker.history import changes_since, current_user, is_changed_only_by

READ_VERSION = "read_version"


class VersionedForm(forms.ModelForm):
    """A form with the version of the record it was opened with; it refuses to save if the record has changed."""

    read_version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    owner: int | None = None  # pk of the organization of a new record; None if the form asks, or its model has none

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.owner and not self.instance.pk:
            self.instance.organization_id = self.owner
        self.is_stale = False
        if self.instance.pk:
            self.initial[READ_VERSION] = self.instance.version

    @property
    def changed_data(self) -> list[str]:
        """Names of the fields the user changed, without the version."""
        return [name for name in super().changed_data if name != READ_VERSION]

    def _get_validation_exclusions(self) -> set[str]:
        """Check the constraints on the organization too where the form does not ask for it."""
        return super()._get_validation_exclusions() - ({"organization"} if self.owner else set())

    def clean(self) -> dict[str, Any]:
        """Refuse changes made on an outdated copy; the errors describe what others changed since."""
        data = super().clean()
        if self.instance.pk and self.changed_data and data.get(READ_VERSION) != self.instance.version:
            self.is_stale = True
            read = data.get(READ_VERSION) or 0
            if is_changed_only_by(current_user(), self.instance, read):
                head = _("You changed “%(record)s” yourself, in another tab or on another device. This form was not "
                         "saved; what you typed is still in its fields. Read what changed, then save yours over it or "
                         "change it first.")  # fmt: skip
            else:
                head = _("Somebody else changed “%(record)s” while you were writing. Nothing was saved; what you typed "
                         "is still in its fields. Read what changed, then save yours over it or change it first."
                         )  # fmt: skip
            changes = changes_since(self.instance, read)
            raise ValidationError([head % {"record": self.instance}, *changes])
        return data

    def use_current_version(self) -> None:
        """Let the user post the form again, on the current version, which the errors describe."""
        self.data = self.data.copy()
        self.data[self.add_prefix(READ_VERSION)] = str(self.instance.version)


class VersionedFormSet(BaseModelFormSet):
    """Rows that each have their own version."""

    def clean(self) -> None:
        """Refuse to delete a row that others changed, and add an error for a row they deleted.

        Django does not validate rows that are to be deleted, and shows no error for a row that no longer exists.
        """
        super().clean()
        errors = []
        for form in self.initial_forms:
            if form.instance.pk is None:
                form.is_stale = True
                errors.append(
                    _("Somebody else removed a row you had open. Nothing was saved; copy what you need of it, then "
                      "open the page again.")
                )  # fmt: skip
            elif self.can_delete and self._should_delete_form(form) and form.is_stale:
                errors += form.non_field_errors()
        if errors:
            raise ValidationError(errors)


class VersionedInlineFormSet(VersionedFormSet, BaseInlineFormSet):
    """The same for inline rows, which have a foreign key to the record."""
