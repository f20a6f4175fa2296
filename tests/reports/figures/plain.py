"""The figures once more, as plainly as can be, from the rows of the log alone: what the tests compare with."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

RANK = {"NOT_STARTED": 0, "IN_PROGRESS": 1, "BLOCKED": 1, "DONE": 2, "CANCELLED": 3}


def midnight_after(day):
    return datetime.combine(day + timedelta(days=1), time.min, ZoneInfo("Asia/Bangkok"))


def stood(action, day, period_start):
    """How one action stood at the end of a day: `action` is (pk, first, last, [(at, status, progress)]) with days."""
    first, last = action["first"], action["last"]
    told = [step for step in action["told"] if step[0] < midnight_after(day)]
    at, status, progress = told[-1] if told else (None, "NOT_STARTED", 0)
    expected = None
    if first:
        expected = 100 * min(max(((day - first).days + 1) / ((last - first).days + 1), 0), 1)
    if status in ("DONE", "CANCELLED"):
        due = "CLOSED"
    elif not first:
        due = "UNSCHEDULED"
    else:
        due = "OVERDUE" if last < day else "NOW" if first <= day else "LATER"
    if not first or status == "CANCELLED":
        health = "NONE"
    elif due == "OVERDUE":
        health = "OVERDUE"
    else:
        share = [("ON_TRACK", 0.95), ("SLIPPING", 0.85)]
        health = next((name for name, least in share if progress >= expected * least), "BEHIND")
    begins_at = midnight_after(period_start - timedelta(days=1))
    owing = missing(action, begins_at, midnight_after(day)) if due in ("OVERDUE", "NOW") else set()
    return {
        "status": status, "progress": progress, "expected": expected, "due": due, "health": health, "at": at,
        "owing": owing, "is_silent": bool(owing),
        "days_late": (day - last).days if due == "OVERDUE" else None,
    }  # fmt: skip


def missing(action, since, until):
    """The units that must report on an action and have not between two moments; {None} where none has to and none has.

    `action` holds `spoke`, (at, unit or None), `holders` of duties, and `collectives`, unit → its members.
    """
    spoke = {unit for at, unit in action["spoke"] if since <= at < until}
    if not action["holders"]:
        return set() if spoke else {None}
    heard = {unit for each in spoke for unit in (action["collectives"].get(each, {each}))}
    return set() if None in heard else action["holders"] - heard


def changed(then, now, since, owing_since):
    """The names of what became of an action between two days; `owing_since` has `missing` since the earlier one."""
    is_open = now["status"] not in ("DONE", "CANCELLED")
    ranks = RANK[now["status"]] - RANK[then["status"]]
    points = now["progress"] - then["progress"]
    return {
        name
        for name, is_so in {
            "DONE": now["status"] == "DONE" != then["status"],
            "FORWARD": is_open and then["status"] != "CANCELLED" and ranks >= 0 and points >= 0 and ranks + points > 0,
            "LATE": now["due"] == "OVERDUE" != then["due"],
            "BLOCKED": now["status"] == "BLOCKED" != then["status"],
            "BACK": now["status"] != "CANCELLED" and (ranks < 0 or points < 0),
            "CANCELLED": now["status"] == "CANCELLED" != then["status"],
            "SILENT": now["due"] in ("OVERDUE", "NOW") and bool(owing_since),
        }.items()
        if is_so
    }


def mean(values):
    values = list(values)
    return sum(values) / len(values) if values else None
