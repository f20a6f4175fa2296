"""The maturity map: criteria × three levels with verdicts, readiness for re-assessment, and scores."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from criteria.models import Assessment, Category, Criterion, Framework, Level, Requirement, Verdict
from criteria.scoring import Score, points_of, score
from plan.as_of import AsOf
from plan.models import ActionItem, Plan, Status
from pmqa_tracker.prepared import read_prepared
from reports.figures.groups import Figure


class MapCellState(models.TextChoices):
    """State of a cell of the map."""

    PASSED = "PASSED", _("Passed")
    READY = "READY", _("Ready for re-assessment")
    FAILED = "FAILED", _("Failed")
    LOCKED = "LOCKED", _("Locked by a level below")
    UNKNOWN = "UNKNOWN", _("Not assessed")


@dataclass
class MapCell:
    """One requirement: its verdict, and the numbers of its actions without cancelled ones.

    Attributes:
        done: actions done.
        total: all actions.
        code: code of the criterion and initial of the level: "1.2.1-A".
        query: filters of the action list that show its actions.
        state: state on the map, with assumptions; `MaturityMap.assume` changes it.
        judged: state without assumptions.
        is_assumed: whether the user assumes that it passes.
    """

    level: Level
    requirement: Requirement | None = None
    verdict: Verdict | None = None
    done: int = 0
    total: int = 0
    code: str = ""
    query: Mapping[str, Any] = field(default_factory=dict)
    state: MapCellState = MapCellState.UNKNOWN
    judged: MapCellState = MapCellState.UNKNOWN
    is_assumed: bool = False

    @property
    def passes(self) -> bool:
        """Whether it passed or is assumed to pass."""
        return self.is_assumed or (self.verdict is not None and self.verdict.passed)

    @property
    def counted(self) -> Figure:
        """Its actions without cancelled ones."""
        return Figure(self.total, {**self.query, "scope": "counted"})

    @property
    def finished(self) -> Figure:
        """Its actions that are done."""
        return Figure(self.done, {**self.query, "status": Status.DONE.value})

    @property
    def unfinished(self) -> Figure:
        """Its actions that are not closed."""
        return Figure(self.total - self.done, {**self.query, "scope": "open"})


@dataclass
class CriterionRow:
    """A criterion of the map; a criterion with children has no cells."""

    criterion: Criterion
    is_parent: bool
    cells: list[MapCell] = field(default_factory=list)
    points: float | None = None
    points_assumed: float | None = None
    reached: int = 0
    reached_assumed: int = 0
    is_shown: bool = True

    @property
    def is_assessed(self) -> bool:
        """Whether any level has a verdict; otherwise the criterion does not count in the score."""
        return any(cell.verdict for cell in self.cells)

    @property
    def open_cells(self) -> list[MapCell]:
        """Requirements that did not pass, lowest level first; empty if the criterion is not assessed."""
        if not self.is_assessed:
            return []
        return [cell for cell in self.cells if cell.requirement and not (cell.verdict and cell.verdict.passed)]


@dataclass
class MapCategory:
    """A category of the map with its points: as assessed, if everything ready passes, and with assumptions."""

    category: Category
    rows: list[CriterionRow]
    now: float | None = None
    if_ready: float | None = None
    if_assumed: float | None = None

    @property
    def is_shown(self) -> bool:
        """Whether any of its rows is shown."""
        return any(row.is_shown for row in self.rows)


@dataclass
class MaturityMap:
    """The map of a plan on a day with its scores: as assessed, if everything ready passes, and with assumptions."""

    parts: list[MapCategory]
    assessment: Assessment
    now: Score
    if_ready: Score
    if_assumed: Score | None = None

    @property
    def framework(self) -> Framework:
        return self.assessment.framework

    @property
    def rows(self) -> list[CriterionRow]:
        return [row for part in self.parts for row in part.rows]

    @property
    def counts(self) -> dict[str, int]:
        """State → number of cells in that state."""
        return {state: sum(cell.state == state for row in self.rows for cell in row.cells) for state in MapCellState}

    @cached_property
    def open_cells(self) -> dict[str, MapCell]:
        """Code → requirement, for each one that did not pass."""
        return {cell.code: cell for row in self.rows for cell in row.open_cells}

    @property
    def full(self) -> int:
        """Points of a criterion at the highest level."""
        return points_of(max(Level), self.framework)

    @property
    def scope(self) -> str:
        """Name the categories in the score: "Categories 1-6" (design §4)."""
        numbers = [part.category.number for part in self.parts if part.now is not None]
        if not numbers:
            return ""
        if len(numbers) == 1:
            return gettext("Category %(number)s") % {"number": numbers[0]}
        if numbers == list(range(numbers[0], numbers[-1] + 1)):
            return gettext("Categories %(first)s-%(last)s") % {"first": numbers[0], "last": numbers[-1]}
        return gettext("Categories %(numbers)s") % {"numbers": ", ".join(map(str, numbers))}

    def assume(self, codes: Collection[str]) -> None:
        """Assume that these `open_cells` pass; recompute the states, points and `if_assumed`."""
        for code, cell in self.open_cells.items():
            cell.is_assumed = code in codes
        for row in self.rows:
            set_cell_states(row.cells)
        self.if_assumed = _score(self.rows, self.framework, ready=False)
        for part in self.parts:
            part.if_assumed = self.if_assumed.by_category.get(part.category.pk)
        for row in self.rows:
            row.points_assumed = self.if_assumed.by_criterion.get(row.criterion.pk)
            row.reached_assumed = self.if_assumed.reached.get(row.criterion.pk, 0)

    def show_only(self, state: MapCellState) -> None:
        """Show only the criteria with a cell in this state, and their parents."""
        wanted = {row.criterion.pk for row in self.rows if any(cell.state == state for cell in row.cells)}
        wanted |= {row.criterion.parent_id for row in self.rows if row.criterion.pk in wanted}
        for row in self.rows:
            row.is_shown = row.criterion.pk in wanted


def build_map(
    plan: Plan,
    as_of: AsOf,
    query: Mapping[str, Any] | None = None,
    *,
    actions: Iterable[ActionItem] | None = None,
) -> MaturityMap:
    """Build the map of a plan as of a day, in a fixed number of queries.

    Args:
        plan: the plan, with its assessment and actions.
        as_of: the day of the actions; verdicts have no day, those of the assessment are used.
        query: parameters that the links of all figures keep (the day).
        actions: the actions of the plan if already read, as of the day and with details.
    """
    criteria = list(plan.framework.criteria.select_related("category").in_order())
    parents = {criterion.parent_id for criterion in criteria}
    codes = {criterion.pk: criterion.code for criterion in criteria}
    verdicts = {verdict.requirement_id: verdict for verdict in plan.assessment.verdicts.all()}
    shares = _shares(_read_answers(plan, as_of) if actions is None else _answers(actions))
    cells: dict[int, list[MapCell]] = defaultdict(list)
    for requirement in Requirement.objects.filter(criterion__framework=plan.framework).in_order():
        level, code = Level(requirement.level), codes[requirement.criterion_id]
        done, total = shares.get(requirement.pk, (0, 0))
        cells[requirement.criterion_id].append(
            MapCell(
                level,
                requirement,
                verdicts.get(requirement.pk),
                done,
                total,
                code=f"{code}-{level.initial}",
                query={**(query or {}), "criterion": code, "level": level.value},
            )
        )
    parts: dict[int, MapCategory] = {}
    for criterion in criteria:
        row = CriterionRow(criterion, criterion.pk in parents)
        if not row.is_parent:
            present = {cell.level: cell for cell in cells[criterion.pk]}
            row.cells = [present.get(level, MapCell(level)) for level in Level]
            set_cell_states(row.cells)
            for cell in row.cells:
                cell.judged = cell.state
        parts.setdefault(criterion.category_id, MapCategory(criterion.category, [])).rows.append(row)
    rows = [row for part in parts.values() for row in part.rows]
    now, if_ready = (_score(rows, plan.framework, ready=ready) for ready in (False, True))
    for part in parts.values():
        part.now, part.if_ready = now.by_category.get(part.category.pk), if_ready.by_category.get(part.category.pk)
    for row in rows:
        row.points = row.points_assumed = now.by_criterion.get(row.criterion.pk)
        row.reached = row.reached_assumed = now.reached.get(row.criterion.pk, 0)
    return MaturityMap(list(parts.values()), plan.assessment, now, if_ready)


def level_name(reached: int) -> str:
    """Return the short name of the level that a criterion reached (0: none)."""
    return Level(reached).short if reached else gettext("below Basic")


def set_cell_states(cells: list[MapCell]) -> None:
    """Set the state of each cell of a criterion, lowest level first (design §4, gating).

    A failed cell is ready if it has actions, all of them are done, and every level below passed or is ready. It is
    locked while a level below has failed. A passed cell above a failed one is also locked: it does not count yet.
    """
    below_passed, below_ready = True, True
    for cell in cells:
        if cell.passes:
            cell.state = MapCellState.PASSED if below_passed else MapCellState.LOCKED
        elif cell.verdict is None:
            cell.state = MapCellState.UNKNOWN
        elif below_ready and cell.total and cell.done == cell.total:
            cell.state = MapCellState.READY
        else:
            cell.state = MapCellState.FAILED if below_passed else MapCellState.LOCKED
        below_passed = below_passed and cell.passes
        below_ready = below_ready and (cell.passes or cell.state == MapCellState.READY)


def _score(rows: list[CriterionRow], framework: Framework, *, ready: bool) -> Score:
    """Score the cells that pass, and with `ready` also those ready for re-assessment."""
    passed = {
        row.criterion.pk: {
            cell.level for cell in row.cells if cell.passes or (ready and cell.judged == MapCellState.READY)
        }
        for row in rows
        if row.is_assessed
    }
    return score([row.criterion for row in rows], passed, framework)


def _read_answers(plan: Plan, as_of: AsOf) -> Iterable[tuple[int, str]]:
    """Yield (requirement pk, status on the day) per action and requirement; in one query."""

    def build() -> models.QuerySet[Any]:
        return plan.actions.as_of(as_of).values_list("requirements", "status_on")

    answers = read_prepared(("answers", plan.pk, as_of.key), build)
    return ((requirement, status) for requirement, status in answers if requirement)


def _answers(actions: Iterable[ActionItem]) -> Iterable[tuple[int, str]]:
    """Return the same as `_read_answers`, for actions that are already read."""
    return ((each.pk, action.status_on) for action in actions for each in action.requirements.all())


def _shares(answers: Iterable[tuple[int, str]]) -> dict[int, tuple[int, int]]:
    """Return requirement pk → (actions done, actions not cancelled) on the day."""
    shares: dict[int, tuple[int, int]] = {}
    for requirement, status in answers:
        if status != Status.CANCELLED:
            done, total = shares.get(requirement, (0, 0))
            shares[requirement] = (done + (status == Status.DONE), total + 1)
    return shares
