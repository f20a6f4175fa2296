"""The standard of a generated world: two editions, and which criteria of the first each one of the second continues."""

from dataclasses import dataclass
from datetime import datetime

from criteria.models import Category, Criterion, Framework, Level, Requirement
from demo.world.options import MAX_PLANS_OF_ORGANIZATION, WorldOptions
from demo.world.texts import CATEGORIES, CRITERIA, REQUIREMENTS, STANDARD
from pmqa_tracker.models import Versioned

SAME, CHANGED, MERGED, SPLIT, NEW = Criterion.Change
# Code → title, change and predecessors, where the second edition differs from the first; no title: no such criterion.
REVISED = {
    "1.2.1": ("การสร้างวัฒนธรรมองค์การแห่งความโปร่งใสและตรวจสอบได้", CHANGED, ("1.2.1",)),
    "2.2": ("การขับเคลื่อนแผนไปสู่การปฏิบัติ", SPLIT, ("2.2",)),
    "2.3": ("การติดตามและปรับแผนอย่างทันการณ์", SPLIT, ("2.2",)),
    "3.2": ("การประเมินความพึงพอใจและความผูกพันของผู้รับบริการ", MERGED, ("3.2", "3.2.1", "3.2.2")),
    "3.2.1": ("", "", ()),
    "3.2.2": ("", "", ()),
    "4.3": ("การบริหารจัดการข้อมูลเปิดภาครัฐ", NEW, ()),
}


@dataclass(frozen=True)
class Edition:
    """An edition of the standard.

    Attributes:
        framework: the edition.
        criteria: by code, in the standard's order.
        requirements: code of a criterion without children → its requirements by level.
    """

    framework: Framework
    criteria: dict[str, Criterion]
    requirements: dict[str, dict[int, Requirement]]


def write_standard(options: WorldOptions, at: datetime) -> tuple[Edition, Edition]:
    """Write both editions; the second holds from the fiscal year of the running plans."""
    first = {code: (title, "", ()) for code, title in CRITERIA.items()}
    second = {code: (title, SAME, (code,)) for code, title in CRITERIA.items()} | REVISED
    earlier = _write_edition(options, options.fiscal_year - MAX_PLANS_OF_ORGANIZATION, first, None, at)
    return earlier, _write_edition(options, options.fiscal_year, second, earlier, at)


def _write_edition(
    options: WorldOptions,
    fiscal_year: int,
    contents: dict[str, tuple[str, str, tuple[str, ...]]],
    before: Edition | None,
    at: datetime,
) -> Edition:
    framework = Framework(
        slug=f"{options.prefix}{fiscal_year}",
        name=STANDARD,
        edition=f"พ.ศ. {fiscal_year} (จำลอง {options.seed})",
        fiscal_year=fiscal_year,
        previous=before and before.framework,
    )
    _save(framework, at)
    categories = [Category(framework=framework, number=number, name=name) for number, name in enumerate(CATEGORIES, 1)]
    for category in categories:
        _save(category, at)
    criteria: dict[str, Criterion] = {}
    for position, (code, (title, change, predecessors)) in enumerate(sorted(contents.items()), start=1):
        if title:
            criterion = criteria[code] = Criterion(
                category=categories[int(code[0]) - 1],
                parent=criteria.get(code.rpartition(".")[0]),
                code=code,
                title=title,
                position=position,
                change=change,
            )
            _save(criterion, at)
            criterion.predecessors.set(before.criteria[each] for each in predecessors)
    parents = {criterion.parent_id for criterion in criteria.values()}
    requirements = {
        code: {level: _requirement(criterion, level, at) for level in Level}
        for code, criterion in criteria.items()
        if criterion.pk not in parents
    }
    return Edition(framework, criteria, requirements)


def _requirement(criterion: Criterion, level: Level, at: datetime) -> Requirement:
    requirement = Requirement(
        criterion=criterion, level=level, text=REQUIREMENTS[level - 1].format(title=criterion.title)
    )
    _save(requirement, at)
    return requirement


def _save(record: Versioned, at: datetime) -> None:
    """Save a record with an entry in its history at a moment."""
    record._history_date = at
    record.save()
