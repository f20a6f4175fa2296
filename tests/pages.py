"""URLs of all pages of a plan, for tests that apply to every page."""

from datetime import timedelta

from plan.models import Plan


def addresses(plan: Plan) -> dict[str, str]:
    """Return name → URL of each page of a plan, for one of its actions, criteria and units."""
    action = plan.actions.select_related("criterion__category").order_by("pk").first()
    unit = action.assignments.select_related("unit").order_by("pk").first().unit
    base = f"/plans/{plan.slug}"
    part = f"unit={unit.abbreviation}&category={action.criterion.category.number}"
    day, since = plan.starts_on + timedelta(days=150), plan.starts_on + timedelta(days=60)
    return {
        "my": f"{base}/my/",
        "owed": f"{base}/owed/",
        "actions": f"{base}/actions/",
        "action": f"{base}/actions/{action.ref}/",
        "dashboard": f"{base}/dashboard/",
        "part": f"{base}/dashboard/?{part}&level=2&role=LEAD&as_of={day}&since={since}",
        "wall": f"{base}/dashboard/?live=1&sort=done",
        "criteria": f"{base}/criteria/",
        "supposed": f"{base}/criteria/?pass={action.criterion.code}-A&unlock=10&target=400&as_of={day}",
        "criterion": f"{base}/criteria/{action.criterion.code}/",
        "timeline": f"{base}/timeline/",
        "some_lines": f"{base}/timeline/?{part}&status=NOT_STARTED&as_of={day}",
        "units": f"{base}/units/",
        "unit": f"{base}/units/{unit.abbreviation}/",
        "reports": f"{base}/reports/",
        "meeting": f"{base}/reports/meeting/?since={since}",
        "reporting": f"{base}/reporting/",
        "period_report": f"{base}/reporting/{unit.abbreviation}/1/",
        "password": "/password/",
        "second_factor": "/second-factor/",
        "sessions": "/sessions/",
    }


def lists(plan: Plan) -> dict[str, tuple[str, str]]:
    """Return name → (URL of the page, URL of its workbook) of each list page, with parameters."""
    action = plan.actions.select_related("criterion").order_by("pk").first()
    base, day = f"/plans/{plan.slug}", plan.starts_on + timedelta(days=150)
    queries = {
        "actions": f"?sort=due&scope=counted&as_of={day}",
        "my": "?role=LEAD",
        "owed": "",
        "reporting": "",
        "units": f"?sort=-total&as_of={day}",
        "criteria": f"?pass={action.criterion.code}-A&state=FAILED&as_of={day}",
        "timeline": f"?due=NOW&as_of={day}",
    }
    return {name: (f"{base}/{name}/{query}", f"{base}/{name}.xlsx{query}") for name, query in queries.items()}
