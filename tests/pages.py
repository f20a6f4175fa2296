"""Every page of a plan, by name: for the tests that hold of each."""

from plan.models import Plan


def addresses(plan: Plan) -> dict[str, str]:
    """Name → address of each page of a plan, with one action, criterion and unit of it."""
    action = plan.actions.select_related("criterion").order_by("pk").first()
    unit = action.assignments.select_related("unit").order_by("pk").first().unit
    base = f"/plans/{plan.slug}"
    return {
        "my": f"{base}/my/",
        "owed": f"{base}/owed/",
        "actions": f"{base}/actions/",
        "action": f"{base}/actions/{action.ref}/",
        "dashboard": f"{base}/dashboard/",
        "criteria": f"{base}/criteria/",
        "criterion": f"{base}/criteria/{action.criterion.code}/",
        "timeline": f"{base}/timeline/",
        "units": f"{base}/units/",
        "unit": f"{base}/units/{unit.abbreviation}/",
        "reports": f"{base}/reports/",
        "reporting": f"{base}/reporting/",
        "period_report": f"{base}/reporting/{unit.abbreviation}/1/",
        "password": "/password/",
    }
