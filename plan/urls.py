"""Addresses of the plan's pages."""

from django.urls import path

from plan.views import actions, evidence, my, owed, period_reports

urlpatterns = [
    path("", actions.home, name="home"),
    path("plans/<text:slug>/my/", my.my, name="my"),
    path("plans/<text:slug>/my/unchanged/", my.my_unchanged, name="my_unchanged"),
    path("plans/<text:slug>/my/<text:ref>/", my.my_row, name="my_row"),
    path("plans/<text:slug>/owed/", owed.owed, name="owed"),
    path("plans/<text:slug>/actions/", actions.action_list, name="action_list"),
    path("plans/<text:slug>/actions/<text:ref>/", actions.action_detail, name="action_detail"),
    path("plans/<text:slug>/evidence/<int:pk>/", evidence.evidence_file, name="evidence_file"),
    path("plans/<text:slug>/evidence/<int:pk>/withdraw/", evidence.evidence_withdraw, name="evidence_withdraw"),
    path("plans/<text:slug>/reporting/", period_reports.reporting, name="reporting"),
    path("plans/<text:slug>/reporting/<text:unit>/<int:period>/", period_reports.period_report, name="period_report"),
]
