"""Admin of accounts: allauth's own pages are left out."""

import allauth.account.admin  # noqa: F401 - registers its models
from allauth.account.models import EmailAddress
from django.contrib import admin

admin.site.unregister(EmailAddress)
