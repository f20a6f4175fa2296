"""Form fields for numbers and days accept what the import accepts."""

from datetime import date

import pytest
from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.urls import reverse

from assignments.access import Access
from criteria.models import Category
from plan.updates.forms import UpdateForm
from pmqa_tracker import thai
from pmqa_tracker.forms import BuddhistDateField
from pmqa_tracker.parsing.fields import PercentField, WholeNumberField
from tests.factories import ActionItemFactory, PlanFactory, UserFactory

DAYS = [
    "15/5/63",
    "๑๕/๕/๖๓",
    "15 พ.ค. 63",
    "15 พฤษภาคม 2563",
    "15พ.ค.2563",
    "2563-05-15",
    "2020-05-15",
    "15\u00a0พ.ค.\u200b 2563",
]
DAYS += ["１５／５／６３", "15–5–2563", " 15.5.63 ", "15 May 2020", "วันที่ ๑๕ พฤษภาคม พ.ศ. ๒๕๖๓"]


@pytest.mark.parametrize(
    "typed", ["50", "๕๐", "50%", "50 %", " ๕๐ ％ ", "ร้อยละ ๕๐", "５０", "50\u200b", "50\u00a0%", "50.0", "50 เปอร์เซ็นต์"]
)
def test_percentage_is_accepted_in_every_notation(typed):
    assert PercentField().clean(typed) == 50


@pytest.mark.parametrize(("typed", "number"), [("1", 1), ("๑", 1), ("0", 0), ("100 %", 100), ("", None)])
def test_one_in_a_percent_field_is_one_percent(typed, number):
    assert PercentField(required=False).clean(typed) == number


@pytest.mark.parametrize("typed", ["101", "-1", "0.5", "ครึ่ง", "5O"])
def test_invalid_percentage_shows_what_is_allowed(typed):
    with pytest.raises(ValidationError, match="50%"):
        PercentField().clean(typed)


@pytest.mark.parametrize("typed", ["12", "๑๒", " 1๒ ", "１２", "12\u200b", "12.0"])
def test_whole_number_is_accepted_in_every_notation(typed):
    assert WholeNumberField(min_value=0).clean(typed) == 12


@pytest.mark.parametrize("typed", DAYS)
def test_day_is_accepted_in_every_notation(typed):
    assert thai.parse_date(typed) == BuddhistDateField().clean(typed) == date(2020, 5, 15)


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["as_of", "since"])
@pytest.mark.parametrize("typed", ["31/3/63", "๓๑ มี.ค. ๖๓", "31 มีนาคม 2563", "2563-03-31"])
def test_day_in_a_url_is_accepted_in_every_notation(client, name, typed):
    plan = PlanFactory()
    client.force_login(UserFactory(roles=["management"]))
    page = client.get(reverse("dashboard", args=[plan.slug]), {name: typed})
    assert page.context[name].day == date(2020, 3, 31)


@pytest.mark.django_db
def test_update_form_accepts_thai_digits(coordinator):
    action = ActionItemFactory()
    posted = {
        "status_to": "IN_PROGRESS",
        "progress_to": "๕๐ %",
        "version": 1,
        "op_id": "00000000-0000-4000-8000-000000000001",
    }
    form = UpdateForm(posted, action=action, access=Access.of(coordinator))
    assert form.is_valid(), form.errors
    assert form.to_input().progress == 50
    assert form.fields["progress_to"].widget.input_type == "text"  # a browser's number box refuses Thai digits


@pytest.mark.django_db
def test_no_admin_form_refuses_thai_digits(rf):
    request = rf.get("/")
    request.user = UserFactory(is_superuser=True, is_staff=True)
    seen = 0
    for screen in admin.site._registry.values():
        if not screen.has_change_permission(request):
            continue
        makers = [
            screen.get_form(request),
            *(each.get_formset(request).form for each in screen.get_inline_instances(request)),
        ]
        for field in (field for form in makers for field in form.base_fields.values()):
            assert not isinstance(field.widget, (forms.NumberInput, forms.DateInput)), (screen, field.label)
            seen += isinstance(field, (WholeNumberField, BuddhistDateField))
    assert seen > 10


@pytest.mark.django_db
def test_admin_accepts_thai_digits(client):
    plan = PlanFactory()
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    posted = {"plan": plan.pk, "name": "ประชุมติดตาม", "held_on": "๑๕ พ.ค. ๖๓"}
    assert client.post(reverse("admin:plan_meeting_add"), posted).status_code == 302
    assert plan.meetings.get(name="ประชุมติดตาม").held_on == date(2020, 5, 15)
    rows = {f"requirement_set-{name}": "0" for name in ("TOTAL_FORMS", "INITIAL_FORMS")}
    category = {"framework": plan.framework.pk, "number": "๙๙", "name": "หมวด", **rows}
    assert client.post(reverse("admin:criteria_category_add"), category).status_code == 302
    assert Category.objects.filter(number=99).exists()
