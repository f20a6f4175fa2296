"""URLs of the data sheet, the import, the new plan from a workbook, and the first steps."""

from django.urls import path

from exchange import views
from exchange.setup import views as setup

urlpatterns = [
    path("setup/", setup.setup, name="setup"),
    path("setup/organization/", setup.setup_organization, name="setup_organization"),
    path("setup/units/", setup.setup_units, name="setup_units"),
    path("setup/framework/", setup.setup_framework, name="setup_framework"),
    path("setup/plan/", setup.setup_plan, name="setup_plan"),
    path("new-plan/", views.new_plan, name="new_plan"),
    path("new-plan/template.xlsx", views.plan_template, name="plan_template"),
    path("new-plan/<uuid:key>/", views.new_plan_import, name="new_plan_import"),
    path("new-plan/<uuid:key>/marked.xlsx", views.new_plan_marked, name="new_plan_marked"),
    path("new-plan/<uuid:key>/undo/", views.new_plan_undo, name="new_plan_undo"),
    path("plans/<text:slug>/data-sheet.xlsx", views.data_sheet, name="data_sheet"),
    path("plans/<text:slug>/plan.xlsx", views.plan_book, name="plan_book"),
    path("plans/<text:slug>/import/", views.import_list, name="import_list"),
    path("plans/<text:slug>/import/<uuid:key>/", views.import_detail, name="import_detail"),
    path("plans/<text:slug>/import/<uuid:key>/marked.xlsx", views.import_marked, name="import_marked"),
    path("plans/<text:slug>/import/<uuid:key>/undo/", views.import_undo, name="import_undo"),
]
