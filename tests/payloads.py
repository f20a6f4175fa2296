"""Texts that a spreadsheet program would change: formulas, errors, escaped characters."""

import re
import zipfile
from html import unescape
from io import BytesIO
from uuid import uuid4

from openpyxl import load_workbook

from assignments.access import Access
from assignments.models import Assignment, Unit, User
from criteria.models import Category, Criterion, Level, Requirement, Verdict
from plan.models import ActionItem, Plan, Status
from plan.updates.record import UpdateInput, record_update
from pmqa_tracker import clock
from tests.factories import AssessmentFactory, PlanFactory, UserFactory

PAYLOADS = (
    "=1+1", "=HYPERLINK(\"http://example.org\",\"ดู\")", "=cmd|' /C calc'!A0", "=DDE(\"cmd\";\"/C calc\";\"x\")",
    "=IMPORTXML(\"http://example.org\",\"//a\")", "=WEBSERVICE(\"http://example.org\")", "=SUM(A1:A9)*1", "==1", "=",
    "+1+1", "+66 2 245 4310", "-1+1", "- ส่วนราชการมีแนวทาง", "@SUM(1+1)", "@ผู้ดูแล", "\t=1+1", "\n=1+1", " =1+1",
    "'=1+1", "''", "＝1+1", "＋1", "－1", "＠SUM(1)", "{=1+1}", "#VALUE!", "TRUE", "_x000D_=1+1", "%0A=1+1",
    "&C&\"Arial\"&P &[Date]",
)  # fmt: skip


def plant() -> tuple[Plan, User]:
    """Return a plan with a payload in every text field, and a coordinator with payloads as names."""
    assessment = AssessmentFactory(name=PAYLOADS[1])
    assessment.organization.name = PAYLOADS[2]
    assessment.organization.save()
    plan = PlanFactory(title=PAYLOADS[0], assessment=assessment)
    person = UserFactory(roles=["coordinator"], first_name=PAYLOADS[3], last_name=PAYLOADS[9])
    for number, payload in enumerate(PAYLOADS, start=1):
        unit = Unit.objects.create(
            organization=plan.organization,
            abbreviation=f"{payload}{number}".replace("/", "|"),  # the database refuses "/" there
            name_th=payload,
            name_en=payload,
            reading_note=payload,
            position=number,
        )
        category = Category.objects.create(framework=plan.framework, number=number, name=payload)
        criterion = Criterion.objects.create(
            category=category, code=f"{number}.1", title=payload, reading_note=payload, position=number
        )
        requirement = Requirement.objects.create(criterion=criterion, level=Level.BASIC, text=payload)
        Verdict.objects.create(assessment=assessment, requirement=requirement, passed=False, reason=payload)
        action = ActionItem.objects.create(
            plan=plan, criterion=criterion, ref=f"{number}.1-B-1", number=payload[:10], text=payload,
            reading_note=payload, position=1, first_period=plan.periods.get(number=1),
            last_period=plan.periods.get(number=2),
        )  # fmt: skip
        action.requirements.set([requirement])
        Assignment.objects.create(action=action, unit=unit, role="LEAD", position=1)
        Assignment.objects.create(action=action, unit=unit, role="SUPPORT", position=1)
        data = UpdateInput(
            status=Status.BLOCKED, progress=10, result=payload, problem=payload, next_step=payload, reason=payload
        )
        record_update(
            action=ActionItem.objects.with_details().get(pk=action.pk), version=action.version, op_id=uuid4(),
            access=Access.of(person), at=clock.now(), data=data,
        )  # fmt: skip
    return plan, person


STORED_AS = r't="(e|str)"'
# Formulas of the product, with T for texts, R for areas of the sheet of all actions, P for an area with
# its condition, C for cells and N for numbers: days overdue, differences, totals.
MEAN = r"IFERROR\(AVERAGEIFS\(R(,P)*\),T\)"
PART = rf"(T|COUNTIFS\(P(,P)*\)|TEXT\({MEAN},T\))"
OWN_FORMULAS = re.compile(rf"IF\(AND\((C<>?(T|DATE\(N,N,N\)),?)+\),DATE\(N,N,N\)-C,N\)|C-C|{MEAN}|{PART}(&{PART})*")


def is_own(formula: str) -> bool:
    """Return whether a formula has one of the shapes of the product; its texts are tested in reports/progress."""
    shape = re.sub(r"'รายการทั้งหมด'!\$[A-Z]+\$\d+:\$[A-Z]+\$\d+", "R", re.sub(r'"[^"]*"', "T", formula.lstrip("=")))
    shape = re.sub(r"R,(T|\d+)", "P", shape)
    return bool(OWN_FORMULAS.fullmatch(re.sub(r"\b\d+\b", "N", re.sub(r"\$?\b[A-Z]{1,2}\$?\d+\b", "C", shape))))


def live_formulas(data: bytes) -> list[str]:
    """Return the cells of a workbook with a formula of others, or with a text stored as anything but text."""
    found = []
    with zipfile.ZipFile(BytesIO(data)) as parts:
        for name in parts.namelist():
            if name.startswith("xl/worksheets/") and name.endswith(".xml"):
                for look, content in re.findall(r"<c ([^>]*[^/])>(.*?)</c>", parts.read(name).decode(), re.DOTALL):
                    formula = re.search(r"<f(?: [^>]*)?>([^<]*)", content)
                    if (formula and not is_own(unescape(formula[1]))) or (not formula and re.search(STORED_AS, look)):
                        found.append(f"{name} {look} {content}")
            if "externalLink" in name or name.endswith(".bin"):
                found.append(name)
    for sheet in load_workbook(BytesIO(data)).worksheets:
        cells = (cell for row in sheet.iter_rows() for cell in row if cell.data_type == "f")
        found += [f"{sheet.title} {cell.coordinate}" for cell in cells if not is_own(str(cell.value))]
    return found


def texts(data: bytes) -> set[str]:
    """Return all texts of a workbook."""
    return {
        str(cell.value)
        for sheet in load_workbook(BytesIO(data), rich_text=False).worksheets
        for row in sheet.iter_rows()
        for cell in row
        if cell.value is not None
    }
