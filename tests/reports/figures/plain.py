"""Plain recomputation of the figures from the updates, which the tests compare with the real figures."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

RANK = {"NOT_STARTED": 0, "IN_PROGRESS": 1, "BLOCKED": 1, "DONE": 2, "CANCELLED": 3}


def midnight_after(day):
    return datetime.combine(day + timedelta(days=1), time.min, ZoneInfo("Asia/Bangkok"))


def state_on(action, day, period_start):
    """Return the state of an action at the end of a day.

    `action` holds `first` and `last` day, `updates` as [(at, status, progress)], and the keys that `missing` reads.
    """
    first, last = action["first"], action["last"]
    past = [update for update in action["updates"] if update[0] < midnight_after(day)]
    at, status, progress = past[-1] if past else (None, "NOT_STARTED", 0)
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
    """Return the units that must make an update between two moments and have not.

    {None} if no unit must and none has. `action` holds `reported`, [(at, unit or None)], `holders` of duties, and
    `collectives`, unit → its members.
    """
    reported = {unit for at, unit in action["reported"] if since <= at < until}
    if not action["holders"]:
        return set() if reported else {None}
    covered = {unit for each in reported for unit in (action["collectives"].get(each, {each}))}
    return set() if None in covered else action["holders"] - covered


def changed(then, now, since, owing_since):
    """Return the names of the changes between two days; `owing_since` is `missing` since the earlier day."""
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
