"""URLs of the login, logout and password pages."""

from django.urls import path

from accounts.passwords import PasswordChange, PasswordSet
from accounts.views import Login, Logout

urlpatterns = [
    path("login/", Login.as_view(), name="login"),
    path("login/", Login.as_view(), name="account_login"),  # allauth's name of it
    path("logout/", Logout.as_view(), name="logout"),
    path("password/", PasswordChange.as_view(), name="password_change"),
    path("password/<uidb64>/<token>/", PasswordSet.as_view(), name="invitation"),
]
