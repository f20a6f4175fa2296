"""Addresses of the plan's pages."""

from django.urls import path

from plan.views import actions, evidence, imports, lists, my, owed, period_reports

urlpatterns = [
    path("", actions.home, name="home"),
    path("new-plan/", imports.new_plan, name="new_plan"),
    path("new-plan/template.xlsx", imports.plan_template, name="plan_template"),
    path("new-plan/<uuid:key>/", imports.new_plan_import, name="new_plan_import"),
    path("new-plan/<uuid:key>/undo/", imports.new_plan_undo, name="new_plan_undo"),
    path("plans/<text:slug>/actions.xlsx", lists.action_list, name="action_list_xlsx"),
    path("plans/<text:slug>/my.xlsx", lists.my, name="my_xlsx"),
    path("plans/<text:slug>/owed.xlsx", lists.owed, name="owed_xlsx"),
    path("plans/<text:slug>/reporting.xlsx", lists.reporting, name="reporting_xlsx"),
    path("plans/<text:slug>/my/", my.my, name="my"),
    path("plans/<text:slug>/my/unchanged/", my.my_unchanged, name="my_unchanged"),
    path("plans/<text:slug>/my/<text:ref>/", my.my_row, name="my_row"),
    path("plans/<text:slug>/owed/", owed.owed, name="owed"),
    path("plans/<text:slug>/actions/", actions.action_list, name="action_list"),
    path("plans/<text:slug>/actions/<text:ref>/", actions.action_detail, name="action_detail"),
    path("plans/<text:slug>/evidence/<int:pk>/", evidence.evidence_file, name="evidence_file"),
    path("plans/<text:slug>/evidence/<int:pk>/withdraw/", evidence.evidence_withdraw, name="evidence_withdraw"),
    path("plans/<text:slug>/data-sheet.xlsx", imports.data_sheet, name="data_sheet"),
    path("plans/<text:slug>/plan.xlsx", imports.plan_book, name="plan_book"),
    path("plans/<text:slug>/import/", imports.import_list, name="import_list"),
    path("plans/<text:slug>/import/<uuid:key>/", imports.import_detail, name="import_detail"),
    path("plans/<text:slug>/import/<uuid:key>/undo/", imports.import_undo, name="import_undo"),
    path("plans/<text:slug>/reporting/", period_reports.reporting, name="reporting"),
    path("plans/<text:slug>/reporting/<text:unit>/<int:period>/", period_reports.period_report, name="period_report"),
]
