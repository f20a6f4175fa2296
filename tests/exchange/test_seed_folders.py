"""`manage.py seed` for the criteria alone, a second edition and another department; the roles."""

import json
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import CommandError, call_command

from assignments.access import RoleGroup
from assignments.models import Organization, Unit
from criteria.models import Assessment, Criterion, Framework, Requirement
from exchange.seeding import FIXTURES, add_roles
from plan.models import ActionItem, Plan

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases(only_full=True)]


def row(model, **fields):
    return {"model": model, "fields": fields}


# Another department, which uses the same abbreviations of units and the same refs, and answers a newer edition.
FRAMEWORK = {
    "1_framework.json": [
        row("criteria.framework", slug="pmqa-2566", name="PMQA", edition="พ.ศ. 2566", fiscal_year=2566,
            basic_points=200)
    ],
    "2_criteria.json": [
        row("criteria.category", framework=["pmqa-2566"], number=1, name="การนำองค์การ"),
        row("criteria.criterion", code="1.1", category=["pmqa-2566", 1], parent=None, title="การนำองค์การใหม่"),
        row("criteria.criterion", code="1.1.1", category=["pmqa-2566", 1], parent=["pmqa-2566", "1.1"], title="วิสัยทัศน์",
            change="MERGED", predecessors=[["pmqa-2562", "1.1.1"], ["pmqa-2562", "1.1.2"]]),
        row("criteria.requirement", criterion=["pmqa-2566", "1.1.1"], level=1, text="- มีแนวทาง"),
    ],
}  # fmt: skip
PLAN = {
    "1_organization.json": [
        row("assignments.organization", name="กระทรวงแรงงาน", short_name="รง.", parent=None),
        row("assignments.organization", name="กรมการจัดหางาน", short_name="กกจ.", parent=["รง."]),
        row("assignments.unit", organization=["กกจ."], abbreviation="กพร.", name_th="กลุ่มพัฒนาระบบบริหาร"),
    ],
    "2_plan.json": [
        row("criteria.assessment", organization=["กกจ."], framework=["pmqa-2566"], name="การประเมิน 2566"),
        row("criteria.verdict", assessment=["กกจ.", "การประเมิน 2566"], requirement=["pmqa-2566", "1.1.1", 1],
            passed=False, reason="ยังไม่พบ"),
        row("plan.plan", slug="doe-2567", title="แผนของกรมการจัดหางาน", organization=["กกจ."],
            assessment=["กกจ.", "การประเมิน 2566"], starts_on="2023-10-01", ends_on="2024-09-30", previous=None),
        row("plan.period", plan=["doe-2567"], number=1, starts_on="2023-10-01", ends_on="2024-09-30"),
    ],
    "3_actions.json": [
        row("plan.actionitem", plan=["doe-2567"], ref="1.1.3-AS-1", criterion=["pmqa-2566", "1.1.1"], number="1",
            requirements=[["pmqa-2566", "1.1.1", 1]], text="จัดทำวิสัยทัศน์", first_period=["doe-2567", 1],
            last_period=["doe-2567", 1]),
        row("assignments.assignment", action=["doe-2567", "1.1.3-AS-1"], unit=["กกจ.", "กพร."], role="LEAD"),
    ],
}  # fmt: skip


def write(folder, files):
    folder.mkdir(parents=True)
    for name, rows in files.items():
        (folder / name).write_text(json.dumps(rows))


@pytest.fixture
def fixtures(tmp_path):
    """A folder with a second edition and the plan of another department."""
    write(tmp_path / "frameworks" / "pmqa-2566", FRAMEWORK)
    write(tmp_path / "plans" / "doe-2567", PLAN)
    return tmp_path


def seed(**options):
    call_command("seed", verbosity=0, **options)


def counts():
    return {
        model.__name__: model.objects.count() for model in (Framework, Criterion, Organization, Unit, Plan, ActionItem)
    }


def test_framework_only_loads_the_criteria_without_plan_and_units(capsys):
    call_command("seed", framework_only=True)
    assert "Criteria: 131 records added, 0 already existed." in capsys.readouterr().out
    nothing = dict.fromkeys(("Organization", "Unit", "Plan", "ActionItem"), 0)
    assert counts() == {"Framework": 1, "Criterion": 34, **nothing}
    assert Requirement.objects.count() == 90
    seed()
    assert counts() == {
        "Framework": 1, "Criterion": 34, "Organization": 1, "Unit": 13, "Plan": 1, "ActionItem": 141,
    }  # fmt: skip


@pytest.mark.both_databases
def test_another_department_with_its_edition_stands_beside_the_first(fixtures):
    seed()
    seed(fixtures=fixtures)
    assert counts() == {
        "Framework": 2, "Criterion": 36, "Organization": 3, "Unit": 14, "Plan": 2, "ActionItem": 142,
    }  # fmt: skip
    merged = Criterion.objects.get(framework__slug="pmqa-2566", code="1.1.1")
    assert sorted(merged.predecessors.values_list("framework__slug", "code")) == [
        ("pmqa-2562", "1.1.1"),
        ("pmqa-2562", "1.1.2"),
    ]
    plan = Plan.objects.get(slug="doe-2567")
    assert (plan.organization.short_name, plan.organization.parent.short_name) == ("กกจ.", "รง.")
    assert (plan.framework.slug, plan.framework.basic_points) == ("pmqa-2566", 200)
    [assignment] = plan.actions.get().assignments.all()
    assert (assignment.unit.organization, assignment.unit.abbreviation) == (plan.organization, "กพร.")


@pytest.mark.both_databases
def test_error_in_one_folder_loads_none_and_names_the_file(fixtures):
    rows = [*PLAN["3_actions.json"], row("plan.period", plan=["doe-2567"], number=2, starts_on="2023-13-01")]
    (fixtures / "plans" / "doe-2567" / "3_actions.json").write_text(json.dumps(rows))
    seed(framework_only=True)
    before = counts()
    with pytest.raises(CommandError) as error:
        seed(fixtures=fixtures)
    assert str(error.value).startswith("plans/doe-2567/3_actions.json, row 3: starts_on")
    assert len(str(error.value).splitlines()) == 1
    assert counts() == before


def test_renamed_edition_and_organization_stay_renamed(fixtures):
    seed(framework_only=True)
    seed(fixtures=fixtures)
    framework, organization = Framework.objects.get(slug="pmqa-2566"), Organization.objects.get(short_name="กกจ.")
    framework.slug, framework.basic_points = "pmqa-new", 300
    framework.save()
    organization.short_name, organization.name = "กจง.", "กรมการจัดหางาน (ใหม่)"
    organization.save()
    before = counts()
    seed(fixtures=fixtures)
    assert counts() == before
    framework.refresh_from_db()
    organization.refresh_from_db()
    assert (framework.slug, framework.basic_points, framework.version) == ("pmqa-new", 300, 2)
    assert (organization.short_name, organization.version) == ("กจง.", 2)


def test_removed_edition_and_organization_stay_removed(fixtures):
    seed(framework_only=True)
    seed(fixtures=fixtures)
    ActionItem.objects.all().delete()
    Plan.objects.all().delete()
    Assessment.objects.get().verdicts.all().delete()
    for records in (Assessment, Unit, Organization.objects.filter(short_name="กกจ."), Organization):
        getattr(records, "objects", records).all().delete()
    newer = Criterion.objects.filter(framework__slug="pmqa-2566")
    Requirement.objects.filter(criterion__in=newer).delete()
    newer.filter(code="1.1.1").delete()
    newer.delete()
    Framework.objects.get(slug="pmqa-2566").categories.all().delete()
    Framework.objects.get(slug="pmqa-2566").delete()
    before = counts()
    seed(fixtures=fixtures)
    assert counts() == before == {
        "Framework": 1, "Criterion": 34, "Organization": 0, "Unit": 0, "Plan": 0, "ActionItem": 0,
    }  # fmt: skip


def test_folder_without_criteria_is_reported(tmp_path):
    (tmp_path / "roles.json").write_text("[]")
    with pytest.raises(CommandError, match=r"holds no fixture files \(frameworks/\*/\*\.json\)"):
        seed(fixtures=tmp_path, framework_only=True)


def test_every_fixture_file_names_records_by_natural_keys():
    files = sorted(FIXTURES.rglob("*.json"))
    rows = [each for file in files for each in json.loads(file.read_text())]
    assert len(files) > 10
    assert [each for each in rows if set(each) != {"model", "fields"}] == []


# Roles


def coordinator_permissions():
    return set(Permission.objects.filter(group__name=RoleGroup.COORDINATOR).values_list("codename", flat=True))


@pytest.mark.both_databases
def test_roles_exist_after_migrate_alone():
    assert set(Group.objects.values_list("name", flat=True)) == {role.value for role in RoleGroup}
    assert {"add_plan", "change_unit", "view_reminder"} <= coordinator_permissions()


def test_migrate_adds_a_missing_role_and_keeps_edited_ones():
    Group.objects.get(name=RoleGroup.ASSESSOR).delete()
    Group.objects.get(name=RoleGroup.COORDINATOR).permissions.remove(Permission.objects.get(codename="add_plan"))
    call_command("migrate", verbosity=0)
    assert set(Group.objects.values_list("name", flat=True)) == {role.value for role in RoleGroup}
    assert "add_plan" not in coordinator_permissions()


def test_roles_wait_until_every_app_is_migrated():
    Group.objects.all().delete()
    add_roles(apps=SimpleNamespace(app_configs={"auth": None, "criteria": None}))
    assert not Group.objects.exists()
