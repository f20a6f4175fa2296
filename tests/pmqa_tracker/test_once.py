"""The template tag `once`: one rendering for each language, and nothing of a user in it."""

from django.template import Context, Template
from django.utils.safestring import mark_safe
from django.utils.translation import override

SOURCE = "{% load i18n %}{% once %}{{ name }}{% translate 'Privacy' %}{% endonce %}{{ name }}"


def test_text_is_kept_by_language_without_the_variables_of_a_page():
    template = Template(SOURCE)
    found = {}
    for language in ("th", "en", "th"):
        with override(language):
            found[language] = template.render(Context({"name": "สมชาย"}))
    assert found["en"] == "Privacyสมชาย"
    assert found["th"].endswith("สมชาย")
    assert found["th"].count("สมชาย") == 1
    assert "Privacy" not in found["th"]


def test_it_is_rendered_once():
    template = Template("{% once %}{% lorem 3 w random %}{% endonce %}")
    assert len({template.render(Context()) for _ in range(5)}) == 1


def test_block_is_rendered_for_each_value_and_sees_no_other_variable():
    template = Template("{% once name=user.name %}{{ name }}{{ user.name }}·{% lorem 3 w random %}{% endonce %}")
    one, other = ({"user": {"name": name}} for name in ("สมชาย", "สมหญิง"))
    found = [template.render(Context(each)) for each in (one, other, one)]
    assert [text.split("·")[0] for text in found] == ["สมชาย", "สมหญิง", "สมชาย"]
    assert found[0] == found[2]


def test_text_is_not_taken_for_safe_html():
    template = Template("{% once name=name %}{{ name }}{% endonce %}")
    found = [template.render(Context({"name": name})) for name in (mark_safe("<b>"), "<b>")]
    assert found == ["<b>", "&lt;b&gt;"]
