"""Demo accounts of every role, and a plausible history of progress that is the same on every machine.

The history is derived from a hash of the refs. It is written with `record_update` like any other update, with the
source DEMO; actions that already have an update stay as they are.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from hashlib import sha256
from uuid import UUID, uuid5

from django.contrib.auth.models import Group

from assignments.access import Access, RoleGroup
from assignments.models import Membership, Organization, User
from demo.texts import BEGUN, CANCELLED, FINISHED, MOVED, NEXT, PROBLEMS, SUPPORTED
from plan.as_of import AsOf, on_day
from plan.models import ActionItem, Meeting, Plan, ProgressUpdate, Status
from plan.updates.record import Attachment, UpdateInput, record_update
from pmqa_tracker import thai
from pmqa_tracker.transactions import write_transaction

NAMESPACE = UUID("5f0c1f5e-2563-4515-8d25-62b562563051")
LAST_DAY = date(2020, 5, 15)
# Requirements whose actions are all DONE, so that the maturity map shows some as ready.
READY = ("2.2-S-", "2.4-A-", "3.4-A-", "4.2-S-", "6.1.2-A-")
# Final status and number of the other actions; the rest is NOT_STARTED.
STATUS_SHARES = ((Status.DONE, 19), (Status.IN_PROGRESS, 60), (Status.BLOCKED, 9), (Status.CANCELLED, 3))
MOVED_UP = 9  # actions that the coordinator has confirmed to end in March 2563
MEETINGS = ((date(2020, 1, 17), "1/2563"), (date(2020, 4, 10), "2/2563"))
UNIT_USERNAMES = {
    "สพม.": "", "สลก.": "slk", "กพร.": "kpr", "กคร.": "kkr", "กคน.": "kkn", "กน.": "kn",
    "กสว.": "ksw", "สรส.": "srs", "กภ.": "kph", "กจ.": "kj", "กค.": "kkh",
}  # fmt: skip


@dataclass(frozen=True)
class Account:
    """A demo account and its roles."""

    username: str
    name: str
    roles: tuple[RoleGroup, ...]
    unit: str = ""
    is_staff: bool = False
    is_superuser: bool = False


def accounts() -> list[Account]:
    """One account for each role, and one staff account for each division."""
    divisions = [
        Account(f"staff-{name}" if name else "staff", f"เจ้าหน้าที่ {unit}", (RoleGroup.STAFF,), unit)
        for unit, name in UNIT_USERNAMES.items()
    ]
    return [
        divisions[0],
        Account("manager", "ผู้บริหาร", (RoleGroup.MANAGEMENT,)),
        Account("coordinator", "ผู้ประสานงาน PMQA", (RoleGroup.COORDINATOR,), "กพร."),
        Account("assessor", "ผู้ตรวจประเมิน", (RoleGroup.ASSESSOR,)),
        Account("admin", "ผู้ดูแลระบบ", (), is_staff=True, is_superuser=True),
        *divisions[1:],
    ]


def make_accounts(organization: Organization, password: str) -> list[tuple[Account, User]]:
    """Create the missing accounts of an organization; existing ones stay as they are.

    Raises:
        ValueError: a real account has one of the user names.
    """
    made = []
    with write_transaction():
        for account in accounts():
            user = User.objects.filter(username=account.username).first()
            if user is None:
                user = User(
                    organization=None if account.is_superuser else organization,
                    username=account.username,
                    first_name=account.name,
                    email=f"{account.username}@example.org",
                    is_demo=True,
                    is_staff=account.is_staff,
                    is_superuser=account.is_superuser,
                )
                user.set_password(password)
                user.save()
                user.groups.set(Group.objects.filter(name__in=account.roles))
                Membership.objects.bulk_create(
                    Membership(user=user, unit=unit) for unit in organization.units.filter(abbreviation=account.unit)
                )
            elif not user.is_demo:
                raise ValueError(account.username)
            made.append((account, user))
    return made


def add_demo_meetings(plan: Plan, *, today: date) -> int:
    """Add the demo meetings before `today`, unless the plan has or had any; return their number."""
    if Meeting.history.filter(plan_id=plan.pk).exists():
        return 0
    held = [(day, number) for day, number in MEETINGS if day < today]
    for day, number in held:
        Meeting.objects.create(plan=plan, held_on=day, name=f"การประชุมคณะทำงาน PMQA ครั้งที่ {number} (ตัวอย่าง)")
    return len(held)


def write_demo_history(plan: Plan, people: dict[str, User], *, today: date) -> int:
    """Write the history of every action without updates, once; return the number of updates.

    Args:
        plan: the seeded plan.
        people: user name → demo user.
        today: the last day that may have updates.
    """
    if ProgressUpdate.objects.filter(action__plan=plan, source=ProgressUpdate.Source.DEMO).exists():
        return 0
    as_of = on_day(plan, min(today, LAST_DAY), plan.periods.all())
    actions = list(plan.actions.filter(updates__isnull=True).with_details().in_order())
    endings = _endings(actions)
    count = 0
    with write_transaction():
        _move_up(actions, endings, as_of, people["coordinator"])
        access = {name: Access.of(user) for name, user in people.items()}
        by_unit = {account.unit: account.username for account in accounts() if RoleGroup.STAFF in account.roles}
        for action in actions:
            version = action.version
            leads = _divisions(action.lead) or ["กพร."]
            for step, (day, author, report) in enumerate(_history_steps(action, endings[action.ref], as_of)):
                name = author or by_unit[leads[_pick(action.ref, f"lead{step}", len(leads))]]
                if author == "support":
                    helpers = _divisions(action.support)
                    if not helpers:
                        continue
                    name = by_unit[helpers[_pick(action.ref, "support", len(helpers))]]
                update = record_update(
                    action=action,
                    version=version,
                    op_id=uuid5(NAMESPACE, f"{action.ref}/{step}"),
                    access=access[name],
                    at=_moment(action.ref, step, day),
                    data=report,
                    source=ProgressUpdate.Source.DEMO,
                )
                version, count = update.version, count + 1
    return count


def _pick(ref: str, purpose: str, choices: int) -> int:
    """A number below `choices`, derived from the ref and the purpose alone."""
    return int.from_bytes(sha256(f"{ref}/{purpose}".encode()).digest()[:4]) % choices


def _endings(actions: list[ActionItem]) -> dict[str, Status]:
    """Ref → final status of the action."""
    endings = {action.ref: Status.NOT_STARTED for action in actions}
    ready = [ref for ref in endings if ref.startswith(READY)]
    others = sorted(endings.keys() - set(ready), key=lambda ref: _pick(ref, "ending", 2**31))
    endings |= dict.fromkeys(ready, Status.DONE)
    for status, count in STATUS_SHARES:
        endings |= dict.fromkeys(others[:count], status)
        others = others[count:]
    return endings


def _move_up(actions: list[ActionItem], endings: dict[str, Status], as_of: AsOf, coordinator: User) -> None:
    """Let the coordinator confirm that some actions end with the third period, so that the open ones are overdue."""
    third = as_of.periods[2]
    movable = [
        action
        for action in actions
        if action.first_period
        and action.first_period.number <= third.number
        and action.schedule_basis == ActionItem.Basis.INFERRED
        and endings[action.ref] in (Status.IN_PROGRESS, Status.NOT_STARTED, Status.DONE)
    ]
    for action in sorted(movable, key=lambda each: _pick(each.ref, "moved", 2**31))[:MOVED_UP]:
        action.last_period = third
        action.schedule_basis = ActionItem.Basis.CONFIRMED
        action._history_user = coordinator
        action._history_date = _moment(action.ref, 0, third.starts_on)
        action.save()


def _divisions(assignments: list) -> list[str]:
    """Abbreviations of the assigned divisions, with the members of a collective."""
    names = []
    for assignment in assignments:
        unit = assignment.unit
        names += [str(member) for member in unit.members.all()] if unit.is_collective else [str(unit)]
    return [name for name in dict.fromkeys(names) if name in UNIT_USERNAMES]


def _history_steps(action: ActionItem, ending: Status, as_of: AsOf) -> Iterator[tuple[date, str, UpdateInput]]:
    """(day, author, update) in order; the author is a user name, "support", or "" for a lead unit."""

    def choose(purpose: str, texts: tuple[str, ...]) -> str:
        return texts[_pick(action.ref, purpose, len(texts))]

    if ending == Status.NOT_STARTED:
        return
    first = action.first_period or as_of.periods[1]
    last = action.last_period or as_of.periods[4]
    begun = first.starts_on + timedelta(days=10 + _pick(action.ref, "begun", 35))
    until = min(as_of.day, last.ends_on)
    if ending == Status.CANCELLED:
        day = min(begun, until)
        yield day, "coordinator", UpdateInput(status=ending, progress=0, reason=choose("why", CANCELLED))
        return
    # A third of them has no update in the current period, the others have one.
    is_silent = ending == Status.IN_PROGRESS and _pick(action.ref, "silent", 3) == 0
    end = (as_of.period or last).starts_on - timedelta(days=5) if is_silent else until
    begun = min(begun, end)
    if ending == Status.DONE:
        end = begun + (end - begun) * (35 + _pick(action.ref, "end", 65)) / 100
    elif not is_silent:
        end = max(begun, end - timedelta(days=_pick(action.ref, "end", 40)))
    steps = 1 + _pick(action.ref, "steps", 3)
    share = (1.04, 0.97, 0.9, 0.7, 0.45)[_pick(action.ref, "pace", 5)]
    reached = 100 if ending == Status.DONE else min(95, max(5, round(as_of.expected(first, last) * share)))
    for step in range(1, steps + 1):
        day = begun + (end - begun) * step / (steps + 1)
        yield (
            day,
            "",
            UpdateInput(
                status=Status.IN_PROGRESS,
                progress=max(1, round(reached * step / (steps + 1))),
                result=choose(f"told{step}", BEGUN if step == 1 else MOVED),
                next_step=choose(f"next{step}", NEXT),
            ),
        )
    if _pick(action.ref, "helped", 4) == 0:
        yield end - (end - begun) / 8, "support", UpdateInput(result=choose("helped", SUPPORTED))
    if ending == Status.DONE:
        proof = Attachment(title="รายงานผลการดำเนินงาน", link=f"https://example.org/pmqa/{action.ref}")
        attachments = (proof,) if _pick(action.ref, "proof", 2) else ()
        yield (
            end,
            "",
            UpdateInput(status=ending, progress=100, result=choose("done", FINISHED), attachments=attachments),
        )
    elif ending == Status.BLOCKED:
        progress = max(1, round(reached * steps / (steps + 1)))
        problem, way_out = PROBLEMS[_pick(action.ref, "problem", len(PROBLEMS))]
        yield end, "", UpdateInput(status=ending, progress=progress, problem=problem, next_step=way_out)
    else:
        update = UpdateInput(
            status=ending, progress=reached, result=choose("last", MOVED), next_step=choose("next", NEXT)
        )
        yield end, "", update


def _moment(ref: str, step: int, day: date) -> datetime:
    """A time within working hours on this day, or on the Friday before a weekend."""
    day -= timedelta(days=max(0, day.weekday() - 4))
    minutes = 9 * 60 + _pick(ref, f"hour{step}", 7 * 60)
    return thai.start_of(day) + (
        datetime.combine(day, time(minutes // 60, minutes % 60)) - datetime.combine(day, time.min)
    )
