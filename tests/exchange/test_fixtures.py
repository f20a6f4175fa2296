"""The fixtures equal the transcript of the document: texts, counts and uncertain passages."""

import copy
from datetime import date

import pytest
from django.contrib.auth.models import Group, Permission

from assignments.access import RoleGroup
from assignments.models import Unit
from criteria.models import Category, Criterion, Requirement, Verdict
from plan.models import ActionItem, Plan
from tests.exchange import transcript

pytestmark = pytest.mark.django_db


@pytest.fixture
def plan(seeded):
    return Plan.objects.get(slug="2562-2563")


def test_every_text_equals_the_transcript(plan):
    assert transcript.differences(transcript.read(), plan) == []


def test_comparison_finds_one_wrong_character(plan):
    """Change one character in each text of the transcript in turn; the comparison finds every change."""
    original = transcript.read()
    places = [("title",), ("organization",), ("categories", 3, "title"), ("criteria", 12, "title")]
    for at, row in enumerate(original["rows"]):
        for level in row["levels"]:
            if row["requirements"][level]:
                places.append(("rows", at, "requirements", level))
            places.append(("rows", at, "verdicts", level, "reason"))
        places += [("rows", at, "actions", number, "text") for number in range(len(row["actions"]))]
    found = dict(transcript._found(plan))
    for place in places[::7]:
        changed = copy.deepcopy(original)
        *way, last = place
        target = changed
        for step in way:
            target = target[step]
        text = target[last]
        middle = len(text) // 2
        target[last] = text[:middle] + "ฬ" + text[middle + 1 :]
        expected = dict(transcript._expected(changed))
        assert [name for name in expected if expected[name] != found[name]], place


@pytest.mark.parametrize(
    "change",
    [
        lambda row: row["lead"].append("กค."),
        lambda row: row["support"].pop(),
        lambda row: row.update(schedule_trace="4+1"),
        lambda row: row["actions"][0].update(number="9"),
        lambda row: row["actions"].pop(),
    ],
)
def test_comparison_finds_more_than_texts(plan, change):
    changed = transcript.read()
    change(changed["rows"][1])
    assert transcript.differences(changed, plan) != []


def test_the_counts_of_the_document(plan):
    assert Category.objects.count() == 6
    assert (Criterion.objects.count(), Criterion.objects.leaves().count()) == (34, 30)
    assert Requirement.objects.count() == Verdict.objects.count() == 90
    levels = [Verdict.objects.filter(printed=True, requirement__level=level).count() for level in (1, 2, 3)]
    assert levels == [3, 17, 25]
    assert Verdict.objects.filter(passed=True, printed=True).count() == 0
    assert Verdict.objects.filter(passed=False, printed=False).count() == 0
    assert ActionItem.objects.count() == 141
    assert (Unit.objects.divisions().count(), Unit.objects.filter(is_collective=True).count()) == (11, 2)


def test_the_five_periods_have_real_days(plan):
    assert [(period.starts_on, period.ends_on) for period in plan.periods.order_by("number")] == [
        (date(2019, 8, 1), date(2019, 9, 30)),
        (date(2019, 10, 1), date(2019, 12, 31)),
        (date(2020, 1, 1), date(2020, 3, 31)),
        (date(2020, 4, 1), date(2020, 6, 30)),
        (date(2020, 7, 1), date(2020, 9, 30)),
    ]
    assert [period.fiscal_year for period in plan.periods.order_by("number")] == [2562, 2563, 2563, 2563, 2563]
    assert (plan.starts_on, plan.ends_on) == (date(2019, 8, 1), date(2020, 9, 30))


def test_collective_of_all_units_has_every_division(plan):
    everyone = Unit.objects.get(abbreviation="ทุกหน่วยงาน")
    assert set(everyone.members.all()) == set(Unit.objects.divisions())
    owners = Unit.objects.get(abbreviation="หน่วยงานผู้รับผิดชอบกระบวนงาน")
    assert (owners.members.count(), bool(owners.reading_note)) == (0, True)
    assert not Unit.objects.divisions().filter(reading_note="").exists()


def test_uncertain_passages_have_a_note(plan):
    """Each uncertain passage of the transcript has a note at its criterion or one of its actions."""
    noted = {criterion.code for criterion in Criterion.objects.exclude(reading_note="")}
    noted |= {action.criterion.code for action in plan.actions.exclude(reading_note="").select_related("criterion")}
    codes = set(Criterion.objects.values_list("code", flat=True))
    for uncertain in transcript.read()["uncertain"]:
        named = {word.strip(",;") for word in uncertain["where"].split()} & codes
        assert named or uncertain["where"] == "periods", uncertain["where"]
        assert named <= noted, uncertain["where"]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("1.1.3", "ควรนำเสนอเทคโนโลยีที่โดดเด่น"),
        ("1.2.1", "ยังไม่กำหนดช่วงเวลา"),
        ("1.2.2", "Sinificane"),
        ("3.3", "ของแต่กลุ่มที่แตกต่างกัน"),
        ("3.4", "อาจเป็น หลัก กจ."),
        ("6.2", "ยังไม่กำหนดช่วงเวลา"),
    ],
)
def test_criterion_note_quotes_the_passage(plan, code, said):
    assert said in Criterion.objects.get(code=code).reading_note


@pytest.mark.parametrize(
    ("ref", "quoted"),
    [
        ("1.4-S-4", "ดำเนินดำเนินการ"),
        ("1.4-S-6", "เพื่อขจัดเพื่อขจัด"),
        ("1.3-A-3", "แรงงานแรงงาน"),
        ("2.3-S-4", "การปฎิบัติงาน"),
        ("2.4-A-1", "คาดการผล"),
        ("3.1-S-1", "ผู้ส่วนได้ส่วนเสีย"),
        ("3.2-S-2", "ความพีงพอใจ"),
        ("4.3-S-1", "ของจากหน่วยงาน"),
        ("5.1-A-1", "สถานีงานใหม่"),
        ("5.1-S-1", "Google Dive"),
        ("5.2-S-2", "ดิจทัล"),
        ("5.2-S-4", "กรมการจัดหารงาน"),
        ("5.4-B-4", "พัฒนาบุคลากรของที่สร้างคน"),
        ("6.1.2-A-1", "วิสับทัศน์"),
        ("6.1.2-S-2", "ข้องมูล"),
        ("6.3-B-5", "แผนปฏิบัติติการ"),
        ("6.3-S-1", "นำแสนอผล"),
    ],
)
def test_action_note_quotes_its_misprint(plan, ref, quoted):
    action = plan.actions.get(ref=ref)
    assert quoted in action.text
    assert quoted in action.reading_note


def test_roles_and_permissions_of_coordinator(plan):
    assert set(Group.objects.values_list("name", flat=True)) == {role.value for role in RoleGroup}
    coordinator = Permission.objects.filter(group__name=RoleGroup.COORDINATOR)
    names = set(coordinator.values_list("codename", flat=True))
    assert {
        "change_actionitem",
        "add_verdict",
        "change_unit",
        "view_progressupdate",
        "add_membership",
        "change_user",
    } <= names
    assert not {"change_progressupdate", "add_progressupdate", "delete_plan", "delete_user"} & names
    assert not Permission.objects.filter(group__name__in=["staff", "management", "assessor"]).exists()
