"""URLs of the data sheet, the import and the new plan from a workbook."""

from django.urls import path

from exchange import views

urlpatterns = [
    path("new-plan/", views.new_plan, name="new_plan"),
    path("new-plan/template.xlsx", views.plan_template, name="plan_template"),
    path("new-plan/<uuid:key>/", views.new_plan_import, name="new_plan_import"),
    path("new-plan/<uuid:key>/undo/", views.new_plan_undo, name="new_plan_undo"),
    path("plans/<text:slug>/data-sheet.xlsx", views.data_sheet, name="data_sheet"),
    path("plans/<text:slug>/plan.xlsx", views.plan_book, name="plan_book"),
    path("plans/<text:slug>/import/", views.import_list, name="import_list"),
    path("plans/<text:slug>/import/<uuid:key>/", views.import_detail, name="import_detail"),
    path("plans/<text:slug>/import/<uuid:key>/undo/", views.import_undo, name="import_undo"),
]
