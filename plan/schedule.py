"""Format the schedule of an action."""

from django.utils.translation import gettext as _

from plan.models import Period
from pmqa_tracker import thai


def format_schedule(first: Period | None, last: Period | None) -> str:
    """Return the months of a schedule, such as "ส.ค.–ก.ย. 2562 ถึง ก.ค.–ก.ย. 2563"."""
    if first is None or last is None:
        return _("No schedule in the document")
    if first.pk == last.pk:
        return first.label
    return _("%(first)s to %(last)s") % {"first": first.label, "last": last.label}


def format_months(first: Period | None, last: Period | None) -> str:
    """Return the first and last month of a schedule, such as "ส.ค. 62 – ก.ย. 63"."""
    if first is None or last is None:
        return "–"
    return f"{thai.format_month(first.starts_on)} – {thai.format_month(last.ends_on)}"
