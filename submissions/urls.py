"""Addresses of the submissions."""

from django.urls import path

from submissions import views

urlpatterns = [
    path("plans/<text:slug>/reporting.xlsx", views.reporting_workbook, name="reporting_xlsx"),
    path("plans/<text:slug>/reporting/", views.reporting, name="reporting"),
    path("plans/<text:slug>/reporting/<text:unit>/<int:period>/", views.period_report, name="period_report"),
]
