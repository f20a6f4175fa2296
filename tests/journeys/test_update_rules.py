"""Rules of the statuses in the update form: the script requires the same fields as the model."""

from itertools import product

import pytest
from django.core.exceptions import ValidationError

from plan.models import ActionItem, ProgressUpdate, Status
from tests.conftest import DAY

pytestmark = pytest.mark.browser
ASK = """(cases) => {
  const form = document.querySelector("form[data-rules]");
  const fields = ["progress_to", "result", "problem", "reason"];
  return cases.map(([before, progress, after, now, words]) => {
    Object.assign(form.dataset, { status: before, progress });
    const option = [...form.elements.status_to].find((each) => each.value === after);
    option.checked = true;
    form.elements.progress_to.value = now;
    for (const name of fields.slice(1)) form.elements[name].value = words;
    showRequired(form);
    return fields.filter((name) => {
      const help = document.getElementById(`${form.elements[name].id}_helptext`);
      return help.classList.contains("is-due");
    });
  });
}"""


def test_the_browser_asks_for_what_the_model_asks_for(enter, settings):
    settings.PMQA_TODAY = DAY
    action = ActionItem.objects.order_by("pk").first()
    page = enter("coordinator")
    page.goto(f"{page.url.split('/plans/')[0]}/plans/{action.plan.slug}/actions/{action.ref}/")
    page.locator("form[data-rules]").wait_for()
    cases = list(product(Status.values, (0, 40, 100), Status.values, (0, 40, 99, 100), ("", "ข้อความ")))
    assert page.evaluate(ASK, cases) == [refused(*case) for case in cases]


def refused(before, progress, after, now, words):
    """Return the fields for which the model refuses an update."""
    update = ProgressUpdate(
        status_from=before, progress_from=progress, status_to=after, progress_to=now,
        result=words, problem=words, reason=words,
    )  # fmt: skip
    try:
        update.clean()
    except ValidationError as error:
        return [name for name in ("progress_to", "result", "problem", "reason") if name in error.message_dict]
    return []
