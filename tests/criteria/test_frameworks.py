"""Two editions of the standard: their records never mix, in the models, the forms and the tables of จัดการข้อมูล."""

from urllib.parse import urlencode

import pytest
from django.core.exceptions import ValidationError

from criteria.models import Criterion, Verdict
from plan.models import ActionItem
from tests.factories import (
    ActionItemFactory,
    AssessmentFactory,
    CategoryFactory,
    CriterionFactory,
    FrameworkFactory,
    PlanFactory,
    RequirementFactory,
    UserFactory,
    VerdictFactory,
    default_framework,
)
from tests.pmqa_tracker.test_admin import address, posted
from tests.spreadsheets.test_admin_tables import confirm, download, errors_of, table, upload, workbook

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases(only_full=True)]


@pytest.fixture
def keeper(client):
    """An administrator, logged in."""
    person = UserFactory(is_superuser=True, is_staff=True)
    client.force_login(person)
    return person


@pytest.fixture
def editions():
    """The edition of 2562 and the one after it, each with criterion 1.2.1."""
    old = default_framework()
    new = FrameworkFactory(slug="pmqa-2566", fiscal_year=2566, previous=old)
    criteria = [
        CriterionFactory(
            category=CategoryFactory(framework=each, number=1), code="1.2.1", title=f"ธรรมาภิบาล {each.slug}"
        )
        for each in (old, new)
    ]
    return old, new, *criteria


def errors_in(record):
    """The names of the fields that `full_clean` finds wrong."""
    try:
        record.full_clean()
    except ValidationError as error:
        return sorted(error.message_dict)
    return []


def changed(record, **values):
    """The record with other values, not saved."""
    record = type(record).objects.get(pk=record.pk)
    for name, value in values.items():
        setattr(record, name, value)
    return record


@pytest.mark.both_databases
def test_records_of_two_editions_do_not_mix(editions):
    old, new, criterion, other = editions
    action = ActionItemFactory(criterion=criterion)
    verdict = VerdictFactory(requirement=RequirementFactory(criterion=criterion))
    later = AssessmentFactory(framework=new)
    cases = [
        (changed(action, criterion=other), ["criterion"]),
        (changed(action.plan, assessment=later), ["assessment"]),
        (changed(PlanFactory(), assessment=later), []),
        (changed(verdict, requirement=RequirementFactory(criterion=other)), ["__all__"]),
        (changed(verdict.assessment, framework=new), ["framework"]),
        (changed(action.plan.assessment, framework=new), ["framework"]),
        (changed(AssessmentFactory(), framework=new), []),
        (changed(criterion.category, framework=new, number=9), ["framework"]),
        (changed(CategoryFactory(number=8), framework=new), []),
        (changed(criterion, category=other.category), ["category"]),
        (changed(verdict.requirement, criterion=other), ["criterion"]),
        (changed(verdict.requirement, criterion=CriterionFactory(category=criterion.category)), []),
        (Criterion(category=other.category, code="1.2.1", title="x"), ["__all__"]),
        (Criterion(category=other.category, code="1.2.2", title="x"), []),
        (changed(old, previous=new), ["previous"]),
        (changed(old, previous=old), ["previous"]),
        (changed(new, fiscal_year=2561), ["previous"]),
    ]
    assert [errors_in(record) for record, _names in cases] == [names for _record, names in cases]


@pytest.mark.both_databases
def test_edition_before_stays_while_criteria_have_predecessors_in_it(editions):
    _old, new, criterion, other = editions
    other.predecessors.add(criterion)
    assert errors_in(changed(new, previous=None)) == ["previous"]
    assert errors_in(changed(new, previous=FrameworkFactory(fiscal_year=2560))) == ["previous"]
    assert errors_in(changed(new, name="ชื่ออื่น")) == []


@pytest.mark.usefixtures("keeper")
def test_forms_offer_only_the_framework_of_the_record(client, editions):
    _old, _new, criterion, other = editions
    action = ActionItemFactory(criterion=criterion)
    verdict = Verdict.objects.get()
    RequirementFactory(criterion=other)
    offered = [
        (action, "criterion", {criterion.pk}),
        (action, "requirements", {verdict.requirement_id}),
        (verdict, "requirement", {verdict.requirement_id}),
        (other, "parent", {other.pk}),
        (other, "predecessors", {criterion.pk}),
        (criterion, "predecessors", set()),
        (verdict.requirement, "criterion", {criterion.pk}),
    ]
    for record, name, pks in offered:
        page = client.get(address(type(record), "change", record.pk))
        widget = page.context["adminform"].form.fields[name].widget.widget
        query = {"app_label": record._meta.app_label, "model_name": record._meta.model_name, "field_name": name}
        url = widget.get_url()
        found = client.get(f"{url}{'&' if '?' in url else '?'}{urlencode(query)}").json()["results"]
        assert {int(each["id"]) for each in found} == pks, (record, name)
    query = {"app_label": "plan", "model_name": "actionitem", "field_name": "criterion"}
    found = client.get("/admin/autocomplete/", query).json()["results"]
    assert {each["text"] for each in found} == {f"{each.framework.edition} · {each}" for each in (criterion, other)}
    page = client.get(address(Criterion, "change", other.pk))
    assert set(page.context["adminform"].form.fields["category"].queryset) == {other.category}


@pytest.mark.usefixtures("keeper")
def test_form_refuses_criterion_of_another_edition(client, editions):
    _old, _new, criterion, other = editions
    action = ActionItemFactory(criterion=criterion)
    page = address(ActionItem, "change", action.pk)
    answer = client.post(page, posted(client.get(page)) | {"criterion": other.pk, "requirements": []})
    assert "criterion" in answer.context["adminform"].form.errors
    page = address(Criterion, "add")
    answer = client.post(
        page, posted(client.get(page)) | {"category": other.category.pk, "code": "1.2.1", "title": "x"}
    )
    assert answer.status_code == 200
    assert answer.context["adminform"].form.non_field_errors()


@pytest.mark.usefixtures("keeper")
def test_tables_identify_records_by_framework(client, editions):
    _old, new, criterion, other = editions
    RequirementFactory(criterion=criterion, level=1, text="เดิม")
    RequirementFactory(criterion=other, level=1, text="เดิม")
    for kind, text in ((type(criterion.category), "name"), (Criterion, "title"), (type(RequirementFactory()), "text")):
        rows = [each for each in table(download(client, kind)) if each["framework"] == new.slug]
        assert len(rows) == 1
        rows[0][text] = "ใหม่"
        assert confirm(client, kind, upload(client, kind, workbook(rows))).status_code == 302
    values = [
        (each.category.name, each.title, each.requirements.get(level=1).text)
        for each in (Criterion.objects.get(pk=other.pk), Criterion.objects.get(pk=criterion.pk))
    ]
    assert values == [("ใหม่",) * 3, (criterion.category.name, criterion.title, "เดิม")]
    rows = [{"framework": "pmqa-9999", "code": "1.2.1", "category": "1", "title": "x", "version": ""}]
    assert len(errors_of(upload(client, Criterion, workbook(rows)))) == 1
