"""Addresses of the plan's pages."""

from django.urls import path

from plan import period_report_views, views

urlpatterns = [
    path("", views.home, name="home"),
    path("plans/<text:slug>/my/", views.my, name="my"),
    path("plans/<text:slug>/actions/", views.action_list, name="action_list"),
    path("plans/<text:slug>/actions/<text:ref>/", views.action_detail, name="action_detail"),
    path("plans/<text:slug>/reporting/", period_report_views.reporting, name="reporting"),
    path(
        "plans/<text:slug>/reporting/<text:unit>/<int:period>/",
        period_report_views.period_report,
        name="period_report",
    ),
]
