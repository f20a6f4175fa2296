"""URLs of the submissions."""

from django.urls import path

from submissions import views

urlpatterns = [
    path("plans/<text:slug>/reporting.xlsx", views.submission_list_workbook, name="reporting_xlsx"),
    path("plans/<text:slug>/reporting/", views.submission_list, name="reporting"),
    path("plans/<text:slug>/reporting/<text:unit>/<int:period>/", views.submission_detail, name="period_report"),
]
