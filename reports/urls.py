"""Addresses of the dashboards and reports."""

from django.urls import path

from reports import views

urlpatterns = [
    path("plans/<text:slug>/dashboard/", views.dashboard, name="dashboard"),
    path("plans/<text:slug>/criteria/", views.maturity_map, name="maturity_map"),
    path("plans/<text:slug>/criteria/<text:code>/", views.criterion_detail, name="criterion_detail"),
    path("plans/<text:slug>/timeline/", views.timeline, name="timeline"),
    path("plans/<text:slug>/units/", views.unit_list, name="unit_list"),
    path("plans/<text:slug>/units/<text:abbreviation>/", views.unit_detail, name="unit_detail"),
    path("plans/<text:slug>/reports/", views.report_list, name="report_list"),
    path("plans/<text:slug>/reports/plan-form.xlsx", views.plan_form, name="plan_form"),
]
