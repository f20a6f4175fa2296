"""Chapters of the manual, and the section that explains each page of the site."""

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Chapter:
    """A chapter of the manual; its name is that of its file and part of its URL."""

    name: str
    title: str | Promise

    def path(self, language: str) -> Path:
        """Return the file of the chapter in a language; other languages than Thai read English."""
        return Path(settings.BASE_DIR, "docs", *(["th"] if language == "th" else []), f"{self.name}.md")


CHAPTERS = {
    chapter.name: chapter
    for chapter in (
        Chapter("staff", _("For unit staff")),
        Chapter("manager", _("For management")),
        Chapter("coordinator", _("For the PMQA coordinator")),
        Chapter("assessor", _("For assessors")),
        Chapter("administrator", _("For administrators")),
    )
}

# Name of a URL → chapter and anchor of the section that explains its page. An anchor is made from the English heading.
SECTION_OF_PAGE = {
    "my": "staff#my-work",
    "my_row": "staff#report-on-an-action",
    "owed": "staff#my-work",
    "action_list": "staff#find-an-action",
    "action_detail": "staff#report-on-an-action",
    "reporting": "staff#send-the-report-of-a-period",
    "period_report": "staff#send-the-report-of-a-period",
    "password_change": "staff#your-account",
    "mfa_index": "staff#your-account",
    "session_list": "staff#your-account",
    "privacy": "staff#your-account",
    "dashboard": "manager#overview",
    "plan_list": "manager#several-plans",
    "timeline": "manager#timeline",
    "unit_list": "manager#units",
    "unit_detail": "manager#units",
    "report_list": "manager#reports-to-download",
    "meeting_pack": "manager#reports-to-download",
    "maturity_map": "assessor#maturity-map",
    "criterion_detail": "assessor#a-criterion",
    "plan_detail": "coordinator#open-and-close-a-plan",
    "plan_step": "coordinator#open-and-close-a-plan",
    "import_list": "coordinator#data-sheet-and-import",
    "import_detail": "coordinator#data-sheet-and-import",
    "sheet_returns": "coordinator#sheets-of-the-units",
    "new_plan": "coordinator#a-new-plan",
    "new_plan_import": "coordinator#a-new-plan",
    "audit": "administrator#audit",
    "setup": "administrator#first-steps",
    "setup_organization": "administrator#first-steps",
    "setup_units": "administrator#first-steps",
    "setup_plan": "administrator#first-steps",
}
