"""Forms that know which version of a record they were opened with, and are refused when that is not the last."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.models import BaseInlineFormSet, BaseModelFormSet
from django.utils.translation import gettext as _

from pmqa_tracker.history import changes_since, current_user, is_changed_only_by

READ_VERSION = "read_version"


class VersionedForm(forms.ModelForm):
    """A form that carries the version of the record it was opened with, and is refused when that is not the last."""

    read_version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.is_stale = False
        if self.instance.pk:
            self.initial[READ_VERSION] = self.instance.version

    @property
    def changed_data(self) -> list[str]:
        """The fields a person changed; the version is not one."""
        return [name for name in super().changed_data if name != READ_VERSION]

    def clean(self) -> dict[str, Any]:
        """Refuse what was written on an older copy, telling what others changed since."""
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
        """Let the same form be sent again, now on the copy that is shown beside it."""
        self.data = self.data.copy()
        self.data[self.add_prefix(READ_VERSION)] = str(self.instance.version)


class VersionedFormSet(BaseModelFormSet):
    """Rows below a record, each with its own version."""

    def clean(self) -> None:
        """Refuse to remove a row that others changed, and tell of a row they removed.

        Django itself asks no row that is to be removed, and says nothing a person sees of one that is gone.
        """
        super().clean()
        told = []
        for form in self.initial_forms:
            if form.instance.pk is None:
                form.is_stale = True
                told.append(
                    _("Somebody else removed a row you had open. Nothing was saved; copy what you need of it, then "
                      "open the page again.")
                )  # fmt: skip
            elif self.can_delete and self._should_delete_form(form) and form.is_stale:
                told += form.non_field_errors()
        if told:
            raise ValidationError(told)


class VersionedInlineFormSet(VersionedFormSet, BaseInlineFormSet):
    """The same, of rows that point to the record themselves."""
