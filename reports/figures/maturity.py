"""The maturity map: criteria × three levels, what passed, what failed, and what could be judged again."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from criteria.models import Assessment, Category, Criterion, Level, Requirement, Verdict
from criteria.scoring import Score, points_of, score
from plan.as_of import AsOf
from plan.models import ActionItem, Plan, Status
from reports.figures.groups import Figure


class MapCellState(models.TextChoices):
    """What a cell of the map says."""

    PASSED = "PASSED", _("Passed")
    READY = "READY", _("Ready for re-assessment")
    FAILED = "FAILED", _("Failed")
    LOCKED = "LOCKED", _("Locked by a level below")
    UNKNOWN = "UNKNOWN", _("Not assessed")


@dataclass
class MapCell:
    """One requirement: its verdict, and how many of its actions are done (cancelled ones left out).

    Attributes:
        code: criterion and the level's initial: "1.2.1-A".
        query: the filters of the action list that show its actions.
        state: what the map says; `assume` changes it.
        judged: what it says without what is assumed.
        is_assumed: whether the reader supposes that it passes.
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
        """Whether it passed, or is supposed to."""
        return self.is_assumed or (self.verdict is not None and self.verdict.passed)

    @property
    def counted(self) -> Figure:
        """Its actions, cancelled ones left out."""
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
    """A criterion of the map; one with children has no cells."""

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
        """Whether it was judged at any level; only then it counts."""
        return any(cell.verdict for cell in self.cells)

    @property
    def open_cells(self) -> list[MapCell]:
        """What it asks and did not pass, lowest level first, where it was judged at all."""
        if not self.is_assessed:
            return []
        return [cell for cell in self.cells if cell.requirement and not (cell.verdict and cell.verdict.passed)]


@dataclass
class MapCategory:
    """A category of the map, and its points as judged, if all that is ready passed, and as assumed."""

    category: Category
    rows: list[CriterionRow]
    now: float | None = None
    if_ready: float | None = None
    if_assumed: float | None = None

    @property
    def is_shown(self) -> bool:
        """Whether any of its rows is."""
        return any(row.is_shown for row in self.rows)


@dataclass
class MaturityMap:
    """The map of a plan on a day, with the score as judged, if all that is ready passed, and as assumed."""

    parts: list[MapCategory]
    assessment: Assessment
    now: Score
    if_ready: Score
    if_assumed: Score | None = None

    @property
    def rows(self) -> list[CriterionRow]:
        return [row for part in self.parts for row in part.rows]

    @property
    def counts(self) -> dict[str, int]:
        """State → how many cells say it."""
        return {state: sum(cell.state == state for row in self.rows for cell in row.cells) for state in MapCellState}

    @cached_property
    def open_cells(self) -> dict[str, MapCell]:
        """Code → each requirement that did not pass."""
        return {cell.code: cell for row in self.rows for cell in row.open_cells}

    @property
    def full(self) -> int:
        """The points of a criterion that reached the highest level."""
        return points_of(max(Level), self.assessment)

    @property
    def scope(self) -> str:
        """Which categories the score is the mean of: "Categories 1-6" (design §4)."""
        numbers = [part.category.number for part in self.parts if part.now is not None]
        if not numbers:
            return ""
        if len(numbers) == 1:
            return gettext("Category %(number)s") % {"number": numbers[0]}
        if numbers == list(range(numbers[0], numbers[-1] + 1)):
            return gettext("Categories %(first)s-%(last)s") % {"first": numbers[0], "last": numbers[-1]}
        return gettext("Categories %(numbers)s") % {"numbers": ", ".join(map(str, numbers))}

    def assume(self, codes: Collection[str]) -> None:
        """Suppose that these of `open_cells` pass: the states, points and `if_assumed` follow."""
        for code, cell in self.open_cells.items():
            cell.is_assumed = code in codes
        for row in self.rows:
            set_cell_states(row.cells)
        self.if_assumed = _score(self.rows, self.assessment, ready=False)
        for part in self.parts:
            part.if_assumed = self.if_assumed.by_category.get(part.category.pk)
        for row in self.rows:
            row.points_assumed = self.if_assumed.by_criterion.get(row.criterion.pk)
            row.reached_assumed = self.if_assumed.reached.get(row.criterion.pk, 0)

    def show_only(self, state: MapCellState) -> None:
        """Show the criteria alone that have a cell in a state, and the headings they stand under."""
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
    """The map of a plan as it stood on a day, read in a fixed number of queries.

    Args:
        plan: whose assessment and actions.
        as_of: the day the actions are read on; the verdicts are those the assessment holds.
        query: what each figure's link keeps: the day.
        actions: those of the plan, where they were read already, as of the day and with details.
    """
    criteria = list(Criterion.objects.select_related("category").in_order())
    parents = {criterion.parent_id for criterion in criteria}
    codes = {criterion.pk: criterion.code for criterion in criteria}
    verdicts = {verdict.requirement_id: verdict for verdict in plan.assessment.verdicts.all()}
    shares = _shares(_read_answers(plan, as_of) if actions is None else _answers(actions))
    cells: dict[int, list[MapCell]] = defaultdict(list)
    for requirement in Requirement.objects.in_order():
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
    now, if_ready = (_score(rows, plan.assessment, ready=ready) for ready in (False, True))
    for part in parts.values():
        part.now, part.if_ready = now.by_category.get(part.category.pk), if_ready.by_category.get(part.category.pk)
    for row in rows:
        row.points = row.points_assumed = now.by_criterion.get(row.criterion.pk)
        row.reached = row.reached_assumed = now.reached.get(row.criterion.pk, 0)
    return MaturityMap(list(parts.values()), plan.assessment, now, if_ready)


def level_name(reached: int) -> str:
    """The highest level a criterion reached (0: none) by its short name."""
    return Level(reached).short if reached else gettext("below Basic")


def set_cell_states(cells: list[MapCell]) -> None:
    """Give each cell of a criterion, lowest level first, its state (design §4, gating).

    A failed cell is ready when all its actions, at least one, are done and every level below passed or is ready; it
    is locked while a level below has failed. A passed cell above a failed one is locked too: it does not count yet.
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


def _score(rows: list[CriterionRow], assessment: Assessment, *, ready: bool) -> Score:
    """The score of what passes; with what is ready, if so asked. A pass above such a level counts once that does."""
    passed = {
        row.criterion.pk: {
            cell.level for cell in row.cells if cell.passes or (ready and cell.judged == MapCellState.READY)
        }
        for row in rows
        if row.is_assessed
    }
    return score([row.criterion for row in rows], passed, assessment)


def _read_answers(plan: Plan, as_of: AsOf) -> Iterable[tuple[int, str]]:
    """(requirement pk, status on the day) of each action that answers it; in two queries."""
    status = dict(plan.actions.as_of(as_of).values_list("pk", "status_on"))
    links = ActionItem.requirements.through.objects.filter(actionitem__plan=plan)
    for action, requirement in links.values_list("actionitem_id", "requirement_id"):
        yield requirement, status[action]


def _answers(actions: Iterable[ActionItem]) -> Iterable[tuple[int, str]]:
    """The same of actions that were read already."""
    return ((each.pk, action.status_on) for action in actions for each in action.requirements.all())


def _shares(answers: Iterable[tuple[int, str]]) -> dict[int, tuple[int, int]]:
    """Requirement pk → (actions done, actions that count) on the day."""
    shares: dict[int, tuple[int, int]] = {}
    for requirement, status in answers:
        if status != Status.CANCELLED:
            done, total = shares.get(requirement, (0, 0))
            shares[requirement] = (done + (status == Status.DONE), total + 1)
    return shares
