"""Template filters for days and datetimes in the Buddhist era; builtins of every template, also of libraries."""

from datetime import date, datetime
from typing import Any

from django import template
from django.template.defaultfilters import date as django_date
from django.utils.translation import get_language

from pmqa_tracker import thai

register = template.Library()


@register.filter
def be_date(day: date | None) -> str:
    """Format a day in the Buddhist era: "15 พ.ค. 2563"; a datetime with its time."""
    if not day:
        return ""
    return thai.format_datetime(day) if isinstance(day, datetime) else thai.format_date(day)


@register.filter
def be_day(moment: datetime | date | None) -> str:
    """Format the day of a datetime in the Buddhist era, without its time."""
    if not moment:
        return ""
    return thai.format_date(thai.timezone.localtime(moment) if isinstance(moment, datetime) else moment)


@register.filter
def be_moment(moment: datetime) -> str:
    """Format a datetime in the Buddhist era with seconds: "15 พ.ค. 2563 14:05:09 น."."""
    return thai.format_datetime(moment, seconds=True)


@register.filter
def be_input(day: date) -> str:
    """Format a day as users type it: "15/5/2563"."""
    return thai.type_date(day)


@register.filter(name="date", expects_localtime=True, is_safe=False)
def date_filter(value: Any, arg: str | None = None) -> str:
    """Replace Django's `date`: the Buddhist era on Thai pages, except in formats for machines."""
    machine_format = arg in ("c", "r", "U") or (arg is not None and arg.startswith("Y-"))
    if not isinstance(value, date) or machine_format or get_language() != "th":
        return django_date(value, arg)
    return thai.format_datetime(value) if isinstance(value, datetime) else thai.format_date(value)
