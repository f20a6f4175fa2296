"""Typed text of a refused form: the texts and choices with their labels, for the user to copy."""

import re
from collections.abc import Callable
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext as _

from pmqa_tracker.scope import own_records

LabelledText = list[tuple[str, str]]
# Values and names of fields that are no typed text: hidden fields, choices, numbers, passwords.
NOT_TEXT = re.compile(r"on|[A-Z_]*|[\d\s.,-]*|[0-9a-fA-F-]{36}")
NOT_SHOWN = re.compile(r"^_|csrf|form_owner|password|^next$|_?version|language|op_id|username")
INLINE_NAME = re.compile(r"(?P<rows>.+)-(?P<number>\d{1,9})-(?P<name>\w+)")


def reads_typed_text(describe: Callable[[HttpRequest], LabelledText]) -> Callable[[Any], Any]:
    """Decorate a view with the function that reads (label, text) pairs from its posted form.

    Any page that refuses the form, also before the view runs, shows them to the user.
    """

    def mark(view: Any) -> Any:
        view.describe_typed_text = describe
        return view

    return mark


def typed_text(request: HttpRequest) -> LabelledText:
    """Return (label, text) pairs of a posted form: texts, choices and names of files, without hidden fields."""
    if request.method != "POST":
        return []
    view = getattr(request.resolver_match, "func", None)
    if describe := getattr(view, "describe_typed_text", None):
        return describe(request)
    if model_admin := getattr(view, "model_admin", None):
        return [*_admin_text(request, model_admin), *file_names(request)]
    return plain_text(request)


def plain_text(request: HttpRequest) -> LabelledText:
    """Return the texts of a posted form under one label, and the names of files; needs no database."""
    texts = [
        (_("What you wrote"), value)
        for name, values in request.POST.lists()
        for value in values
        if not NOT_SHOWN.search(name) and not NOT_TEXT.fullmatch(value)
    ]
    return [*texts, *file_names(request)]


def file_names(request: HttpRequest) -> LabelledText:
    """Return the names of the files of a posted form; their content is not kept."""
    names = [file.name for _name, files in request.FILES.lists() for file in files]
    return [(_("Files, to be chosen again"), "\n".join(names))] if names else []


def _admin_text(request: HttpRequest, model_admin: Any) -> LabelledText:
    """Return the fields of an admin form and of its inline rows, with their labels."""
    pairs = []
    for name, values in request.POST.lists():
        row = INLINE_NAME.fullmatch(name)
        owners = [inline.model for inline in model_admin.inlines] if row else [model_admin.model]
        field = _find_field(owners, row["name"] if row else name)
        text = "\n".join(filter(None, _readable(field, values, request.user))) if field else ""
        if text.strip():
            label = str(field.verbose_name)
            label = f"{field.model._meta.verbose_name} {int(row['number']) + 1}: {label}" if row else label
            pairs.append((label, text))
    return pairs


def _find_field(owners: list[type[models.Model]], name: str) -> models.Field | None:
    """Return the field with a name that users fill in; None for hidden fields."""
    for model in owners:
        try:
            field = model._meta.get_field(name)
        except FieldDoesNotExist:
            continue
        if not NOT_SHOWN.search(name) and getattr(field, "editable", False) and not field.primary_key:
            return field
    return None


def _readable(field: models.Field, values: list[str], user: Any) -> list[str]:
    """Return posted values as the form shows them: names of the user's own records, labels of choices."""
    if field.related_model:
        pks = [value for value in values if value.isascii() and value.isdecimal() and len(value) < 19]
        return [str(each) for each in own_records(field.related_model._base_manager.filter(pk__in=pks), user)]
    if isinstance(field, models.BooleanField):
        return [_("yes") if value == "on" else value for value in values]
    choices = {str(key): str(label) for key, label in field.flatchoices}
    return [choices.get(value, value) for value in values]
