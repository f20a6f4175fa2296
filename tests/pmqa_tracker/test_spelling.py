"""Thai text is found in any spelling: Python and the database have the same key, and every search uses it."""

from random import Random

import pytest
from django.contrib import admin
from django.contrib.admin.widgets import FilteredSelectMultiple
from django.contrib.auth.models import Group
from django.db.models import Value
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from plan.models import (
    Evidence,
    Meeting,
    Period,
)  # fmt: skip
from pmqa_tracker import thai
from pmqa_tracker.admin import ThaiText
from pmqa_tracker.database_text import SearchKey
from tests import factories
from tests.append_only import rewrite

CONSONANTS = "กขคงจชซญดตถทธนบปผพฟมยรลวศสหอฮ"
VOWELS = ("", "ั", "ิ", "ี", "ึ", "ื", "ุ", "ู", "็", "ำ", "า", "ะ")
UNSEEN = (
    "",
    "\u200b",
    "\u200c",
    "\u200d",
    "\ufeff",
    "\u00ad",
    "\u200e",
    "\u202b",
    "\u2060",
    " ",
    "\u00a0",
    "\u202f",
    "\t",
)
# Another spelling of the words, which an admin's search splits at its spaces.
WORDS, TYPED = "แผนน้ำที่เกี่ยวข้อง ระดับ ๓ QA–1", "เเผนน\u0e4d\u0e49าท่ีเก\u200bี่่ยวข้อง\u00a0ระดับ 3 ｑａ-๑"
ADMINS = [each for each in admin.site._registry.values() if each.get_search_fields(None)]
FACTORIES = {
    Group: lambda: Group.objects.create(name="x"),
    Evidence: factories.EvidenceFactory,
    Meeting: factories.MeetingFactory,
    Period: lambda: factories.PlanFactory().periods.first(),
}


@st.composite
def syllables(draw):
    """The parts of a syllable: (leading vowel, consonant, vowel, tone, digits)."""
    lead = draw(st.sampled_from(["", "", "", "เ", "แ", "โ", "ใ", "ไ"]))
    vowel = draw(st.sampled_from(VOWELS))
    tone = draw(st.sampled_from(["", "่", "้", "๊", "๋"] + ["์"] * (vowel in ("", "ิ", "ุ"))))
    digits = draw(st.sampled_from(["", "", "๑๒", "7", "A", "ซ"]))
    return lead, draw(st.sampled_from(CONSONANTS)), vowel, tone, digits


def written(parts):
    """Return syllables in correct spelling."""
    after = ("ำ", "า", "ะ")
    return "".join(
        f"{lead}{letter}{tone}{vowel}{digits}" if vowel in after else f"{lead}{letter}{vowel}{tone}{digits}"
        for lead, letter, vowel, tone, digits in parts
    )


@st.composite
def misspelled(draw, parts):
    """Return the syllables with reordered or doubled marks, เเ, ํา, other digits and letters, invisible characters."""
    text = ""
    for lead, letter, vowel, tone, digits in parts:
        lead = "เเ" if lead == "แ" and draw(st.booleans()) else lead
        marks = [*("ํา" if vowel == "ำ" and draw(st.booleans()) else vowel), tone]
        if draw(st.booleans()):
            marks = [mark * draw(st.integers(1, 2)) if thai.MARKS.find(mark) >= 0 else mark for mark in marks]
        if "ํ" not in marks[0]:
            marks = draw(st.permutations(marks))
        else:  # the tone before, between or after the two halves of ำ
            marks = draw(st.sampled_from([[tone, *marks[:-1]], [marks[0], tone, *marks[1:-1]], marks]))
        digits = "".join(draw(st.sampled_from(alike(sign))) for sign in digits)
        text += "".join(part + draw(st.sampled_from(UNSEEN)) for part in [*lead, letter, *marks, *digits])
    return text


def alike(sign):
    """Return the ways to write a digit or a letter."""
    if sign.isdecimal():
        digit = int(sign)
        return [str(digit), thai.THAI_DIGITS[digit], chr(0xFF10 + digit)]
    return [sign, sign.lower(), chr(ord(sign) + 0xFEE0)] if sign.isascii() else [sign]


@given(st.data())
def test_every_misspelling_shares_the_key(data):
    parts = data.draw(st.lists(syllables(), min_size=1, max_size=6))
    assert thai.search_key(data.draw(misspelled(parts))) == thai.search_key(written(parts))


@given(st.text(st.sampled_from([*"กน", *thai.MARKS, *thai.FOLLOWING_VOWELS, *"เแำ\u200b ๅ1๑A"])))
def test_key_of_a_key_is_itself(text):
    key = thai.search_key(text)
    assert thai.search_key(key) == key == thai.search_key(thai.fold(text))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("เสื่อ", "เสือ"),
        ("นำ", "นา"),
        ("แก", "เก"),
        ("ป่า", "ป้า"),
        ("กัน", "กัณ"),
        ("ชุด", "ชูด"),
        ("1.2", "12"),
        ("สัตว์", "สัตว"),
    ],
)
def test_different_texts_have_different_keys(one, other):
    assert thai.search_key(one) != thai.search_key(other)


@pytest.mark.django_db
@pytest.mark.both_databases
def test_database_computes_the_same_key():
    alphabet = [*"กนทA1๑ａⅣ", *thai.MARKS, *thai.FOLLOWING_VOWELS, *"เแำๅ\u200b \u00a0\u00ad–“é"]
    picked = Random(2563)  # noqa: S311
    texts = [WORDS, TYPED, *("".join(picked.choices(alphabet, k=picked.randint(1, 12))) for _ in range(200))]
    Group.objects.create(name="one")
    found = Group.objects.filter(name="one").values_list(*(SearchKey(Value(text)) for text in texts))[0]
    assert list(found) == [thai.search_key(text) for text in texts]


def test_every_admin_searches_by_the_key():
    assert [each for each in admin.site._registry.values() if not isinstance(each, ThaiText)] == []


@pytest.mark.django_db
@pytest.mark.both_databases
@pytest.mark.parametrize("screen", ADMINS, ids=lambda each: each.model.__name__)
def test_admin_search_finds_any_spelling(client, screen):
    client.force_login(factories.UserFactory(is_staff=True, is_superuser=True))
    make = FACTORIES.get(screen.model) or getattr(factories, f"{screen.model.__name__}Factory")
    names = [name for name in type(screen).search_fields if is_free(screen.model, name)]
    assert names
    for name in names:
        record = make()
        *relations, field = name.split("__")
        holder = record
        for relation in relations:
            holder = getattr(holder, relation)
        rewrite(holder, **{field: WORDS})
        meta = screen.model._meta
        page = client.get(reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist"), {"q": TYPED})
        assert record in page.context["cl"].result_list, name
        other = client.get(reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist"), {"q": f"{TYPED}X"})
        assert list(other.context["cl"].result_list) == []
        rewrite(holder, **{field: "x"})


def is_free(model, name):
    """Return whether a field accepts any text, unlike a slug."""
    *relations, last = name.split("__")
    for relation in relations:
        model = model._meta.get_field(relation).related_model
    return (model._meta.get_field(last).max_length or 100) >= 40


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("field", "model"), [("unit", "membership"), ("user", "membership"), ("criterion", "actionitem")]
)
def test_autocomplete_finds_any_spelling(client, field, model):
    client.force_login(factories.UserFactory(is_staff=True, is_superuser=True))
    wanted = {
        "unit": lambda: factories.UnitFactory(name_th=WORDS),
        "user": lambda: factories.UserFactory(last_name=WORDS),
        "criterion": lambda: factories.CriterionFactory(title=WORDS),
    }[field]()
    asked = {"term": TYPED, "app_label": "plan" if model == "actionitem" else "assignments", "model_name": model}
    found = client.get(reverse("admin:autocomplete"), {**asked, "field_name": field}).json()["results"]
    assert [each["id"] for each in found] == [str(wanted.pk)]


@pytest.mark.django_db
def test_no_admin_form_filters_choices_in_the_browser(rf):
    """Django's filter script in the browser does not know the search key."""
    request = rf.get("/")
    request.user = factories.UserFactory(is_superuser=True, is_staff=True)
    for screen in admin.site._registry.values():
        if screen.has_change_permission(request):
            for field in screen.get_form(request).base_fields.values():
                widget = getattr(field.widget, "widget", field.widget)
                assert not isinstance(widget, FilteredSelectMultiple), (screen, field.label)
