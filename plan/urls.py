"""URLs of a plan and its state, of the actions and their evidence."""

from django.urls import path

from plan.actions import views as actions
from plan.evidence import views as evidence
from plan.state import views as state

urlpatterns = [
    path("plans/<text:slug>/", state.plan_detail, name="plan_detail"),
    path("plans/<text:slug>/state/<text:name>/", state.plan_step, name="plan_step"),
    path("plans/<text:slug>/actions.xlsx", actions.action_list_workbook, name="action_list_xlsx"),
    path("plans/<text:slug>/actions/", actions.action_list, name="action_list"),
    path("plans/<text:slug>/actions/<text:ref>/", actions.action_detail, name="action_detail"),
    path("plans/<text:slug>/evidence/<int:pk>/", evidence.evidence_file, name="evidence_file"),
    path("plans/<text:slug>/evidence/<int:pk>/withdraw/", evidence.evidence_withdraw, name="evidence_withdraw"),
]
