"""Templates without the spaces that only make them readable."""

import re

import pytest
from django import forms
from django.template import Context, Template
from django.template.loader import get_template

from pmqa_tracker.template_loader import without_indentation


@pytest.mark.parametrize(
    ("source", "short"),
    [
        ("  <p>\n    a  b\n  </p>\n", "<p>\na  b\n</p>\n"),
        ("{# note #}\n{% if a %}\n  x\n{% endif %}\n", "{# note #}{% if a %}x\n{% endif %}"),
        ("a\n{% for b in c %} {# d #}\nb\n{% endfor %}\nc", "a\n{% for b in c %} {# d #}b\n{% endfor %}c"),
        ("{% if a %}x{% endif %}\ny\n{% icon 'a' %}\nz", "{% if a %}x{% endif %}\ny\n{% icon 'a' %}\nz"),
    ],
)
def test_words_stay_apart(source, short):
    assert without_indentation(source) == short


def test_template_of_the_frame_has_none():
    source = get_template("base.html").template.source
    assert not re.search(r"^\s", source, re.MULTILINE)


def test_options_are_those_of_the_library():
    """The flat template of a list to choose from, beside the one of Django."""
    choices = [("", "ทุกหน่วยงาน"), ("ก", [(1, "<b>"), (2, "ข")]), (True, "ค")]
    widget = forms.Select(attrs={"id": "a", "required": True}, choices=choices)
    ours = widget.render("unit", 2)
    theirs = widget.render("unit", 2, renderer=forms.renderers.DjangoTemplates())
    assert re.sub(r"\s*\n\s*", "", ours) == re.sub(r"\s*\n\s*", "", theirs)
    assert Template("{{ a }}").render(Context({"a": ours})) == ours
