"""URLs of the start page, the list of plans, the dashboards and the reports."""

from django.urls import path

from reports.views import background, criteria, dashboard, lists, meeting, plans, timeline, units, workbooks

urlpatterns = [
    path("", plans.home, name="home"),
    path("plans/", plans.plan_list, name="plan_list"),
    path("plans/<text:slug>/dashboard/", dashboard.dashboard, name="dashboard"),
    path("plans/<text:slug>/criteria/", criteria.maturity_map, name="maturity_map"),
    path("plans/<text:slug>/criteria/<text:code>/", criteria.criterion_detail, name="criterion_detail"),
    path("plans/<text:slug>/timeline/", timeline.timeline, name="timeline"),
    path("plans/<text:slug>/criteria.xlsx", lists.maturity_map_workbook, name="maturity_map_xlsx"),
    path("plans/<text:slug>/timeline.xlsx", lists.timeline_workbook, name="timeline_xlsx"),
    path("plans/<text:slug>/units.xlsx", lists.unit_list_workbook, name="unit_list_xlsx"),
    path("plans/<text:slug>/units/", units.unit_list, name="unit_list"),
    path("plans/<text:slug>/units/<text:abbreviation>/", units.unit_detail, name="unit_detail"),
    path("plans/<text:slug>/reports/", workbooks.report_list, name="report_list"),
    path("plans/<text:slug>/reports/plan-form.xlsx", workbooks.plan_form, name="plan_form"),
    path("plans/<text:slug>/reports/prepare/", background.background_start, name="prepare"),
    path("plans/<text:slug>/reports/prepared/<text:name>/", background.background_status, name="prepared"),
    path("plans/<text:slug>/reports/prepared/<text:name>/file.xlsx", background.background_file, name="prepared_file"),
    path("plans/<text:slug>/reports/progress.xlsx", workbooks.progress_report, name="progress_report"),
    path("plans/<text:slug>/units/<text:abbreviation>/progress.xlsx", workbooks.unit_report, name="unit_report"),
    path("plans/<text:slug>/reports/meeting/", meeting.meeting_pack, name="meeting_pack"),
    path("plans/<text:slug>/reports/meeting.docx", meeting.meeting_word, name="meeting_word"),
]
