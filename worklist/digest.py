"""The reminder digest of one user, and the mail built from it."""

import re
from dataclasses import dataclass

from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import ngettext

from assignments.models import Unit, User
from plan.as_of import AsOf
from plan.models import Plan, looks
from plan.titles import owner_of, title_of
from pmqa_tracker.mail import LANGUAGE
from worklist.owed import MAX_GROUP_ROWS, OwedList

BLANK_LINES = re.compile(r"\n\s*\n")


@dataclass(frozen=True, kw_only=True)
class Digest:
    """Reminder digest for one user, with at least one item.

    Attributes:
        units: the user's units, in the department's order.
        owed: the period reports and actions that the user owes.
    """

    user: User
    units: list[Unit]
    owed: OwedList

    @property
    def unit_names(self) -> str:
        """The units by name, each with its abbreviation if that is another."""
        return ", ".join(f"{unit.name_th} ({unit})" if unit.longer_name else unit.name_th for unit in self.units)

    @property
    def count(self) -> int:
        """Number of actions and period reports in the digest."""
        return self.owed.count


def build_mail(digest: Digest, plan: Plan, as_of: AsOf, *, site: str) -> EmailMultiAlternatives:
    """Build the mail in Thai, as text and HTML.

    Args:
        site: URL of the site that the links begin with, without a trailing slash.
    """
    with translation.override(LANGUAGE):
        count = digest.count
        context = {
            "digest": digest,
            "reports": digest.owed.reports,
            "groups": digest.owed.limit(MAX_GROUP_ROWS).groups,
            "plan": plan,
            "plan_title": title_of(plan),
            "as_of": as_of,
            "late": looks.OVERDUE.colours,
            "site": site,
            "page": site + reverse("my", args=[plan.slug]),
        }
        subject = ngettext(
            "Improvement plan tracker: %(count)s item to report",
            "Improvement plan tracker: %(count)s items to report",
            count,
        ) % {"count": count}
        owner = owner_of(plan)
        mail = EmailMultiAlternatives(
            subject=f"{subject} · {owner}" if owner else subject,
            body=BLANK_LINES.sub("\n\n", render_to_string("worklist/reminder.txt", context)).strip(),
            to=[digest.user.email],
            headers={"Auto-Submitted": "auto-generated"},  # prevents out-of-office replies
        )
        mail.attach_alternative(render_to_string("worklist/reminder.html", context), "text/html")
    return mail
