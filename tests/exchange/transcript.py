"""The transcript of the document, and its comparison with a seeded plan, ignoring spaces."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from criteria.models import Category, Criterion, Level, Verdict
from plan.models import Plan

FILE = Path(__file__).resolve().parent.parent / "data" / "plan-2562-2563.json"
PERIODS_OF_TRACE = {
    "1+4": (1, 5), "2+3": (2, 5), "2+1+1+1": (2, 5), "1+1+1+2": (2, 5), "3+2": (3, 5), "4+1": (4, 5), "?": (None, None),
}  # fmt: skip


def read() -> dict[str, Any]:
    """The transcript in `tests/data`."""
    return json.loads(FILE.read_text())


def words(text: str | None) -> str:
    """A text without its spacing."""
    return "".join((text or "").split())


def differences(reading: dict[str, Any], plan: Plan) -> list[str]:
    """The differences between the seeded plan and the transcript."""
    expected, found = dict(_expected(reading)), dict(_found(plan))
    return [
        f"{name}: expected {expected.get(name)!r}, found {found.get(name)!r}"
        for name in sorted(expected.keys() | found.keys())
        if expected.get(name) != found.get(name)
    ]


def _expected(reading: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    yield "plan", (words(reading["title"]), words(reading["organization"]))
    for category in reading["categories"]:
        yield f"category {category['number']}", words(category["title"])
    parents = {each["parent"] for each in reading["criteria"]}
    printed = {}
    for row in reading["rows"]:
        for name in row["levels"]:
            printed[row["code"], name] = (row["requirements"][name], row["verdicts"][name])
    for order, criterion in enumerate(reading["criteria"]):
        code = criterion["code"]
        yield f"criterion {code}", (order, words(criterion["title"]), criterion["parent"], int(code.split(".")[0]))
        for level in Level if code not in parents else ():
            text, verdict = printed.get((code, level.name.lower()), ("", None))
            judged = (False, words(verdict["reason"]), True) if verdict else (True, "", False)
            yield f"requirement {code} {level.name}", (words(text), *judged)
            assert verdict is None or verdict["passed"] is False
            assert not (criterion["passed"] and verdict)
    yield from _expected_actions(reading)


def _expected_actions(reading: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    order = 0
    for row in reading["rows"]:
        initials = "".join(name[0].upper() for name in row["levels"])
        for number, action in enumerate(row["actions"]):
            units = row["per_action"][number] if row.get("per_action") else row
            ref = f"{row['code']}-{initials}-{number + 1}"
            yield (
                f"action {ref}",
                {
                    "order": order,
                    "code": row["code"],
                    "number": action["number"] or "",
                    "text": words(action["text"]),
                    "levels": [Level[name.upper()] for name in row["levels"]],
                    "periods": PERIODS_OF_TRACE[row["schedule_trace"]],
                    "basis": "INFERRED",
                    "status": ("NOT_STARTED", 0),
                    "lead": units["lead"],
                    "support": units["support"],
                },
            )
            order += 1


def _found(plan: Plan) -> Iterator[tuple[str, Any]]:
    yield "plan", (words(plan.title), words(plan.organization.name))
    for category in Category.objects.in_order():
        yield f"category {category.number}", words(category.name)
    for order, criterion in enumerate(Criterion.objects.select_related("category", "parent").in_order()):
        parent = criterion.parent.code if criterion.parent else None
        title = words(criterion.title)
        yield f"criterion {criterion.code}", (order, title, parent, criterion.category.number)
    for verdict in Verdict.objects.filter(assessment=plan.assessment).select_related("requirement__criterion"):
        requirement = verdict.requirement
        name = f"requirement {requirement.criterion.code} {Level(requirement.level).name}"
        yield name, (words(requirement.text), verdict.passed, words(verdict.reason), verdict.printed)
    for order, action in enumerate(plan.actions.with_details().in_order()):
        periods = [period.number if period else None for period in (action.first_period, action.last_period)]
        yield (
            f"action {action.ref}",
            {
                "order": order,
                "code": action.criterion.code,
                "number": action.number,
                "text": words(action.text),
                "levels": [requirement.level for requirement in action.requirements.all()],
                "periods": tuple(periods),
                "basis": action.schedule_basis,
                "status": (action.status, action.progress),
                "lead": [str(each.unit) for each in action.lead],
                "support": [str(each.unit) for each in action.support],
            },
        )
