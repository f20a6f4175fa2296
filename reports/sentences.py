"""Summary of the meeting pack in sentences, built from figures only."""

from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from plan.models import Age, Change, Status
from pmqa_tracker import thai
from pmqa_tracker.templatetags.page import points
from reports.figures.groups import BAR_ORDER, Group
from reports.figures.maturity import MapCellState, MaturityMap
from reports.figures.overview import Overview
from reports.figures.unlock import UnlockStep

MAX_NAMED = 3  # most units or requirements that a sentence names


def summarize(overview: Overview, the_map: MaturityMap, steps: Sequence[UnlockStep], since_name: str) -> list[str]:
    """Sentences on statuses, progress, overdue actions, changes, forecast, missing reports and the score.

    Args:
        overview: figures of the whole plan.
        the_map: maturity map of the same day.
        steps: requirements that raise the score most, best first.
        since_name: name of the earlier day, such as a meeting's; empty if it has none.
    """
    if not overview.whole.total.count:
        return [_("The plan holds no actions yet.")]
    sentences = [
        _statuses(overview),
        _progress(overview.whole),
        _overdue(overview),
        _changes(overview, since_name),
        _forecast(overview),
        _silent_units(overview),
        *_score(the_map, steps),
    ]
    return [sentence for sentence in sentences if sentence]


def final_result(whole: Group) -> str:
    """Return one sentence on what a plan that has ended reached."""
    total = whole.total.count
    if not total:
        return _("The plan held no actions.")
    done, cancelled = whole.by_status[Status.DONE].count, whole.by_status[Status.CANCELLED].count
    left = total - done - cancelled
    parts = [
        ngettext("%(count)s was done", "%(count)s were done", done) % {"count": done},
        ngettext("%(count)s was not finished", "%(count)s were not finished", left) % {"count": left},
    ]
    if cancelled:
        text = ngettext("%(count)s was cancelled", "%(count)s were cancelled", cancelled)
        parts.append(text % {"count": cancelled})
    text = ngettext("Of %(total)s action %(parts)s", "Of %(total)s actions %(parts)s", total)
    text %= {"total": total, "parts": join_with_and(parts)}
    if whole.progress is not None:
        text += _("; the mean progress reached %(progress)s %%") % {"progress": _rounded(whole.progress)}
    return _("%(sentence)s.") % {"sentence": text}


def join_with_and(items: Sequence[str]) -> str:
    """Join items in the active language: "a, b and c"."""
    if len(items) < 2:
        return "".join(items)
    first = items[0]
    for item in items[1:-1]:
        first = _("%(first)s, %(second)s") % {"first": first, "second": item}
    return _("%(first)s and %(last)s") % {"first": first, "last": items[-1]}


def _rounded(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f}"


def _statuses(overview: Overview) -> str:
    total = overview.whole.total.count
    parts = []
    for status in BAR_ORDER:
        count = overview.whole.by_status[status].count
        if count:
            parts.append(
                _("%(status)s %(count)s (%(share)s %%)")
                % {"status": status.label, "count": count, "share": _rounded(100 * count / total)}
            )
    text = ngettext(
        "As of %(day)s the plan holds %(total)s action: %(parts)s.",
        "As of %(day)s the plan holds %(total)s actions: %(parts)s.",
        total,
    )
    return text % {"day": thai.format_date(overview.as_of.day), "total": total, "parts": join_with_and(parts)}


def _progress(whole: Group) -> str:
    if whole.progress is None:
        return ""
    if whole.gap is None:
        return _("The mean progress is %(progress)s %%; no action has a schedule to compare with.") % {
            "progress": _rounded(whole.progress)
        }
    if whole.gap >= 0:
        text = _(
            "The mean progress is %(progress)s %% against %(expected)s %% expected: %(gap)s points ahead of the plan."
        )
    else:
        text = _(
            "The mean progress is %(progress)s %% against %(expected)s %% expected: %(gap)s points behind the plan."
        )
    return text % {
        "progress": _rounded(whole.progress),
        "expected": _rounded(whole.expected),
        "gap": points(abs(whole.gap)),
    }


def _overdue(overview: Overview) -> str:
    late = overview.whole.overdue.count
    if not late:
        return _("Nothing is overdue.")
    text = ngettext("%(count)s action is overdue", "%(count)s actions are overdue", late) % {"count": late}
    longest = {age: figure.count for age, figure in overview.ages}[Age.LONGER]
    if longest:
        text += _(", %(count)s of them for more than 180 days") % {"count": longest}
    worst = sorted((group for group in overview.leads if group.overdue.count), key=lambda each: -each.overdue.count)
    if worst:
        names = [f"{group.subject.abbreviation} ({group.overdue.count})" for group in worst[:MAX_NAMED]]
        text += _("; the units that lead most of them: %(units)s") % {"units": join_with_and(names)}
    return _("%(sentence)s.") % {"sentence": text}


def _changes(overview: Overview, since_name: str) -> str:
    day = thai.format_date(overview.since.day)
    since = _("%(name)s on %(day)s") % {"name": since_name, "day": day} if since_name else day
    figures = dict(overview.changes)
    parts = [
        _("%(change)s %(count)s") % {"change": change.label, "count": figures[change].count}
        for change in Change
        if figures[change].count and change != Change.SILENT
    ]
    if not parts:
        text = _("Nothing has changed since %(since)s") % {"since": since}
    else:
        text = _("Since %(since)s: %(parts)s") % {"since": since, "parts": join_with_and(parts)}
    silent = figures[Change.SILENT].count
    if silent:
        missing = ngettext(
            "; %(count)s action that should be moving has no update",
            "; %(count)s actions that should be moving have no update",
            silent,
        )
        text += missing % {"count": silent}
    return _("%(sentence)s.") % {"sentence": text}


def _forecast(overview: Overview) -> str:
    curve = overview.curve
    if curve.at_end is None:
        return ""
    return _(
        "At the pace since %(since)s the mean progress on the plan's last day, %(day)s, would be %(at_end)s %%."
    ) % {
        "since": thai.format_date(curve.pace_from),
        "day": thai.format_date(curve.points[-1].day),
        "at_end": _rounded(curve.at_end),
    }


def _silent_units(overview: Overview) -> str:
    names = [group.subject.abbreviation for group in overview.silent_units or ()]
    if not names:
        return ""
    return _("Units that lead actions in this period and have not reported yet: %(units)s.") % {
        "units": join_with_and(names)
    }


def _score(the_map: MaturityMap, steps: Sequence[UnlockStep]) -> list[str]:
    now = the_map.now.total
    if now is None:
        return []
    sentences = [
        _("The score as judged is %(score)s of %(full)s (%(scope)s).")
        % {"score": points(now), "full": the_map.full, "scope": the_map.scope}
    ]
    ready = the_map.counts[MapCellState.READY]
    if ready:
        text = ngettext(
            "%(count)s requirement is ready for re-assessment; if it passed, the score would be %(score)s.",
            "%(count)s requirements are ready for re-assessment; if all passed, the score would be %(score)s.",
            ready,
        )
        sentences.append(text % {"count": ready, "score": points(the_map.if_ready.total)})
    if steps:
        names = [f"{step.row.criterion.code} {step.cell.level.short}" for step in steps[:MAX_NAMED]]
        sentences.append(
            _("These would raise the score most: %(names)s; if they passed, it would be %(score)s.")
            % {
                "names": join_with_and(names),
                "score": points(now + sum(step.gain for step in steps[:MAX_NAMED])),
            }
        )
    return sentences


def status_then_and_now(then: str, now: str) -> str:
    """Return both statuses, such as "In progress → Done", or one label if they are equal."""
    before, after = str(Status(then).label), str(Status(now).label)
    return after if then == now else f"{before} → {after}"
