"""URLs of the login, logout and password pages."""

from django.urls import path

from assignments.login import Login, Logout, PasswordChange, PasswordSet

urlpatterns = [
    path("login/", Login.as_view(), name="login"),
    path("logout/", Logout.as_view(), name="logout"),
    path("password/", PasswordChange.as_view(), name="password_change"),
    path("password/<uidb64>/<token>/", PasswordSet.as_view(), name="invitation"),
]
