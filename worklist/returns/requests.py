"""Ask units for their data sheets: a mail to the people of each unit, with its own sheet attached.

Each request is saved before its mails are sent, beside the request of the browser; what became of each mail is saved
right after it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from zipfile import ZipFile

from django.core.mail import EmailMessage
from django.db import IntegrityError
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from assignments.models import Unit, User
from exchange.data_sheet.export import build_data_sheet, data_sheet_name
from plan.models import Period, Plan
from plan.titles import owner_of, title_of
from pmqa_tracker import clock
from pmqa_tracker.long_names import download_name
from pmqa_tracker.mail import LANGUAGE, send_mails
from pmqa_tracker.tasks.models import BackgroundTask, ProgressCallback, ignore_progress, new_name
from pmqa_tracker.tasks.priority import at_low_priority
from pmqa_tracker.tasks.queue import start
from pmqa_tracker.tasks.run import background_task
from pmqa_tracker.transactions import mark_changed, write_transaction
from spreadsheets.downloads import XLSX, workbook_bytes
from worklist.digest import BLANK_LINES
from worklist.models import SheetRequest
from worklist.returns.rows import UnitReturn, read_returns

MAX_FAILURE = 500  # characters of a reason that are kept


class AskedMeanwhileError(Exception):
    """Another coordinator asked one of the units at the same moment; no mail was sent."""


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A mail of a request to one person of its unit."""

    request: SheetRequest
    row: UnitReturn
    person: User


def start_requests(rows: Sequence[UnitReturn], plan: Plan, *, by: User, site: str, at: datetime) -> list[int]:
    """Ask units for their sheets beside the request, and wait a moment; call it in no transaction.

    Args:
        rows: units with people who have an address.
        by: the coordinator, who gets the answers.
        site: URL of the site that the links begin with, without a trailing slash.
        at: the present moment, aware.

    Returns:
        The keys of the requests.

    Raises:
        AskedMeanwhileError: nothing was sent.
    """
    task = new_name()
    try:
        with write_transaction():
            requests = SheetRequest.objects.bulk_create([_request(row, by, at, task) for row in rows])
            mark_changed(requests)
    except IntegrityError as error:
        raise AskedMeanwhileError from error
    keys = [request.pk for request in requests]
    label = _("Sheets of the units by mail")
    start(letters_task, owner=by.pk, label=label, name=task, requests=keys, site=site, at=at.isoformat())
    return keys


def _request(row: UnitReturn, by: User, at: datetime, task: str) -> SheetRequest:
    number = 1 + sum(each.is_today for each in row.own_requests)
    return SheetRequest(
        unit=row.unit, period=row.period, day=timezone.localdate(at), number=number, by=by, at=at, task=task
    )


@background_task(is_repeatable=False)
def letters_task(on_progress: ProgressCallback, _result: Path, *, requests: Sequence[int], site: str, at: str) -> None:
    """Send the mails of requests, by their pks; all are for one period."""
    moment = datetime.fromisoformat(at)
    found = list(
        SheetRequest.objects.filter(pk__in=requests).select_related("period__plan__organization", "by").order_by("pk")
    )
    plan = found[0].period.plan
    rows = {row.unit.pk: row for row in read_returns(plan, found[0].period, at=moment).rows}
    letters = [
        Letter(request=request, row=rows[request.unit_id], person=person)
        for request in found
        for person in rows[request.unit_id].people
    ]
    send_letters(letters, plan, site=site, at=moment, on_progress=on_progress)


def send_letters(
    letters: Sequence[Letter], plan: Plan, *, site: str, at: datetime, on_progress: ProgressCallback = ignore_progress
) -> None:
    """Send the letters, those of a request one after another, and save what became of each."""

    @lru_cache(maxsize=1)  # one file for all people of a unit
    def sheet_of(unit: Unit) -> bytes:
        return at_low_priority(lambda: workbook_bytes(build_data_sheet(plan, at, unit=unit)))

    def build(letter: Letter) -> EmailMessage:
        return build_letter(letter, plan, sheet_of(letter.row.unit), site=site, at=at)

    left = Counter(letter.request.pk for letter in letters)
    for result in send_mails(letters, build, on_progress=on_progress):
        request, person = result.item.request, result.item.person
        name = f"{person} <{person.email}>"
        if result.failure:
            request.failures.append([name, result.failure[:MAX_FAILURE]])
        else:
            request.sent_to.append(name)
        left[request.pk] -= 1
        if not left[request.pk]:
            request.finished_at = clock.now()
        request.save(update_fields=["sent_to", "failures", "finished_at"])


def build_letter(letter: Letter, plan: Plan, sheet: bytes, *, site: str, at: datetime) -> EmailMessage:
    """Build the mail, in Thai and plain text; answers go to the coordinator.

    Args:
        sheet: the content of the unit's sheet.
        site: URL of the site that the links begin with, without a trailing slash.
    """
    row, by = letter.row, letter.request.by
    with translation.override(LANGUAGE):
        context = {
            "person": letter.person,
            "row": row,
            "others": [str(each) for each in row.people if each != letter.person],
            "by": by,
            "plan_title": title_of(plan),
            "has_ended": row.period.ends_on < timezone.localdate(at),
            "page": site + reverse("my", args=[plan.slug]),
        }
        subject = _("Data sheet of %(unit)s for %(period)s: please fill it in and send it back")
        subject %= {"unit": row.unit, "period": row.period.label}
        owner = owner_of(plan)
        mail = EmailMessage(
            subject=f"{subject} · {owner}" if owner else subject,
            body=BLANK_LINES.sub("\n\n", render_to_string("worklist/sheet_request.txt", context)).strip(),
            to=[letter.person.email],
            reply_to=[by.email] if by.email else [],
            headers={"Auto-Submitted": "auto-generated"},  # prevents out-of-office replies
        )
        mail.attach(download_name(f"{data_sheet_name(plan, at, unit=row.unit)}.xlsx"), sheet, XLSX)
    return mail


def start_zip(rows: Sequence[UnitReturn], plan: Plan, period: Period, *, by: User, at: datetime) -> BackgroundTask:
    """Make one zip file with the sheets of some units, in the background."""
    name = _("sheets of the units %(plan)s %(period)s.zip") % {"plan": plan.slug, "period": period.label}
    units = [row.unit.pk for row in rows]
    arguments = {"plan": plan.pk, "user": by.pk, "units": units, "at": at.isoformat()}
    return start(zip_task, owner=by.pk, label=name, file_name=name, **arguments)


@background_task(is_repeatable=True)
def zip_task(
    on_progress: ProgressCallback, result: Path, *, plan: int, user: int, units: Sequence[int], at: str
) -> None:
    """Write the sheets of units of a plan that the user may see to a zip file."""
    of, moment = Plan.objects.visible_to(User.objects.get(pk=user)).get(pk=plan), datetime.fromisoformat(at)
    found = Unit.objects.in_bulk(units)

    def write() -> None:
        with ZipFile(result, "w") as archive:
            for done, unit in enumerate(found[key] for key in units):
                on_progress(done, len(units))
                name = download_name(f"{data_sheet_name(of, moment, unit=unit)}.xlsx")
                archive.writestr(name.replace("/", "-"), workbook_bytes(build_data_sheet(of, moment, unit=unit)))

    at_low_priority(write)
    on_progress(len(units), len(units))
