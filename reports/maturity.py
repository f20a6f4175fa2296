"""The maturity map: criteria × three levels, what passed, what failed, and what could be judged again."""

from collections import defaultdict
from dataclasses import dataclass, field

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from criteria.models import Category, Criterion, Level, Requirement, Verdict
from criteria.scoring import Score, score
from plan.as_of import AsOf
from plan.models import ActionItem, Plan, Status


class CellState(models.TextChoices):
    """What a cell of the map says."""

    PASSED = "PASSED", _("Passed")
    READY = "READY", _("Ready for re-assessment")
    FAILED = "FAILED", _("Failed")
    LOCKED = "LOCKED", _("Locked by a level below")
    UNKNOWN = "UNKNOWN", _("Not assessed")


@dataclass
class Cell:
    """One requirement: its verdict, and how many of its actions are done (cancelled ones left out)."""

    level: Level
    requirement: Requirement | None = None
    verdict: Verdict | None = None
    done: int = 0
    total: int = 0
    state: CellState = CellState.UNKNOWN


@dataclass
class Row:
    """A criterion of the map; one with children has no cells."""

    criterion: Criterion
    is_parent: bool
    cells: list[Cell] = field(default_factory=list)
    points: float | None = None


@dataclass
class MaturityMap:
    """The map of a plan on a day, with the score as judged and the score if all that is ready passed."""

    categories: list[tuple[Category, list[Row]]]
    now: Score
    if_ready: Score
    counts: dict[str, int]

    @property
    def gain(self) -> float:
        """How many points the score gains if all that is ready passes."""
        return (self.if_ready.total or 0) - (self.now.total or 0)

    @property
    def scope(self) -> str:
        """Which categories the score is the mean of: "Categories 1-6" (design §4)."""
        numbers = [category.number for category, _rows in self.categories if category.pk in self.now.by_category]
        if len(numbers) == 1:
            return gettext("Category %(number)s") % {"number": numbers[0]}
        if numbers == list(range(numbers[0], numbers[-1] + 1)):
            return gettext("Categories %(first)s-%(last)s") % {"first": numbers[0], "last": numbers[-1]}
        return gettext("Categories %(numbers)s") % {"numbers": ", ".join(map(str, numbers))}


def build_map(plan: Plan, as_of: AsOf) -> MaturityMap:
    """The map of a plan as it stood on a day, read in a fixed number of queries."""
    criteria = list(Criterion.objects.select_related("category").in_order())
    parents = {criterion.parent_id for criterion in criteria}
    verdicts = {verdict.requirement_id: verdict for verdict in plan.assessment.verdicts.all()}
    shares = _shares(plan, as_of)
    cells: dict[int, list[Cell]] = defaultdict(list)
    for requirement in Requirement.objects.in_order():
        done, total = shares.get(requirement.pk, (0, 0))
        cells[requirement.criterion_id].append(
            Cell(Level(requirement.level), requirement, verdicts.get(requirement.pk), done, total)
        )
    categories: dict[int, tuple[Category, list[Row]]] = {}
    for criterion in criteria:
        row = Row(criterion, criterion.pk in parents)
        if not row.is_parent:
            present = {cell.level: cell for cell in cells[criterion.pk]}
            row.cells = [present.get(level, Cell(level)) for level in Level]
            judge(row.cells)
        categories.setdefault(criterion.category_id, (criterion.category, []))[1].append(row)
    rows = [row for _category, group in categories.values() for row in group]
    now = score(criteria, _passed(rows, {CellState.PASSED}), plan.assessment)
    if_ready = score(criteria, _passed(rows, {CellState.PASSED, CellState.READY}), plan.assessment)
    for row in rows:
        row.points = now.by_criterion.get(row.criterion.pk)
    counts = {state: sum(cell.state == state for row in rows for cell in row.cells) for state in CellState}
    return MaturityMap(list(categories.values()), now, if_ready, counts)


def judge(cells: list[Cell]) -> None:
    """Give each cell of a criterion, lowest level first, its state (design §4, gating).

    A failed cell is ready when all its actions, at least one, are done and every level below passed or is ready; it
    is locked while a level below has failed. A passed cell above a failed one is locked too: it does not count yet.
    """
    below_passed, below_ready = True, True
    for cell in cells:
        if cell.verdict is None:
            cell.state = CellState.UNKNOWN
        elif cell.verdict.passed:
            cell.state = CellState.PASSED if below_passed else CellState.LOCKED
        elif below_ready and cell.total and cell.done == cell.total:
            cell.state = CellState.READY
        else:
            cell.state = CellState.FAILED if below_passed else CellState.LOCKED
        passed = cell.verdict is not None and cell.verdict.passed
        below_passed = below_passed and passed
        below_ready = below_ready and (passed or cell.state == CellState.READY)


def _passed(rows: list[Row], states: set[CellState]) -> dict[int, set[int]]:
    """Leaf criterion → levels counted as passed. A pass above a ready level counts once that level does."""
    counted: dict[int, set[int]] = {}
    for row in rows:
        if any(cell.verdict for cell in row.cells):
            counted[row.criterion.pk] = {
                cell.level for cell in row.cells if cell.state in states or (cell.verdict and cell.verdict.passed)
            }
    return counted


def _shares(plan: Plan, as_of: AsOf) -> dict[int, tuple[int, int]]:
    """Requirement pk → (actions done, actions that count) on the day."""
    status = dict(plan.actions.as_of(as_of).values_list("pk", "status_on"))
    shares: dict[int, tuple[int, int]] = {}
    links = ActionItem.requirements.through.objects.filter(actionitem__plan=plan)
    for action, requirement in links.values_list("actionitem_id", "requirement_id"):
        if status[action] != Status.CANCELLED:
            done, total = shares.get(requirement, (0, 0))
            shares[requirement] = (done + (status[action] == Status.DONE), total + 1)
    return shares
