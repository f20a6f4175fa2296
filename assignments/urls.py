"""URLs of what belongs to the account of a user."""

from django.urls import path

from assignments import introduction

urlpatterns = [path("introduction/close/", introduction.close_introduction, name="close_introduction")]
