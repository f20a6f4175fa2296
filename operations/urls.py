"""URLs of the audit."""

from django.urls import path

from operations.audit import views as audit

urlpatterns = [
    path("audit/", audit.audit, name="audit"),
    path("audit.xlsx", audit.audit_workbook, name="audit_xlsx"),
]
