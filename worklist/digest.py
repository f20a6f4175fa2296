"""The digest of what a person owes, and the mail it goes out as."""

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
from worklist.owed import MOST_ROWS, OwedList

LANGUAGE = "th"  # of the mail and of what the command prints of it
BLANK_LINES = re.compile(r"\n\s*\n")


@dataclass(frozen=True, kw_only=True)
class Digest:
    """What one person is told: never empty.

    Attributes:
        user: the person.
        units: his units, in the department's order.
        owed: what they owe.
    """

    user: User
    units: list[Unit]
    owed: OwedList

    @property
    def count(self) -> int:
        """How many actions and period reports it lists."""
        return self.owed.count


def build_mail(digest: Digest, plan: Plan, as_of: AsOf, *, site: str) -> EmailMultiAlternatives:
    """The mail in Thai, as text and as html.

    Args:
        digest, plan, as_of: what to tell, and of when.
        site: what the links begin with, without a slash at its end.
    """
    with translation.override(LANGUAGE):
        count = digest.count
        context = {
            "digest": digest,
            "reports": digest.owed.reports,
            "groups": digest.owed.first(MOST_ROWS).groups,
            "plan": plan,
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
        mail = EmailMultiAlternatives(
            subject=subject,
            body=BLANK_LINES.sub("\n\n", render_to_string("worklist/reminder.txt", context)).strip(),
            to=[digest.user.email],
            headers={"Auto-Submitted": "auto-generated"},  # no answers from people on leave
        )
        mail.attach_alternative(render_to_string("worklist/reminder.html", context), "text/html")
    return mail
