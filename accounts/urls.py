"""URLs of the login, logout, password and second factor pages; of allauth's URLs only these are there, by its names."""

from django.urls import path

from accounts import second_factor, sign_on
from accounts.passwords import PasswordChange, PasswordResetLink, PasswordSet
from accounts.personal_data.views import data_of_person, own_data, privacy
from accounts.reset import PasswordReset
from accounts.sessions.views import session_left, session_list
from accounts.views import Login, Logout

urlpatterns = [
    path("login/", Login.as_view(), name="login"),
    path("login/", Login.as_view(), name="account_login"),
    path("login/code/", second_factor.EnterCode.as_view(), name="mfa_authenticate"),
    path("login/with/<slug:provider_id>/", sign_on.login, name="openid_connect_login"),
    path("login/with/<slug:provider_id>/back/", sign_on.callback, name="openid_connect_callback"),
    path("logout/", Logout.as_view(), name="logout"),
    path("privacy/", privacy, name="privacy"),
    path("privacy/my-data.xlsx", own_data, name="own_data"),
    path("privacy/data/<int:pk>.xlsx", data_of_person, name="data_of_person"),
    path("sessions/", session_list, name="session_list"),
    path("sessions/left/", session_left, name="session_left"),
    path("password/", PasswordChange.as_view(), name="password_change"),
    path("password/forgotten/", PasswordReset.as_view(), name="password_reset"),
    path("password/forgotten/<uidb64>/<token>/", PasswordResetLink.as_view(), name="password_reset_link"),
    path("password/<uidb64>/<token>/", PasswordSet.as_view(), name="invitation"),
    path("confirm/", second_factor.Confirm.as_view(), name="account_reauthenticate"),
    path("second-factor/", second_factor.Overview.as_view(), name="mfa_index"),
    path("second-factor/setup/", second_factor.SetUp.as_view(), name="mfa_activate_totp"),
    path("second-factor/setup/image.svg", second_factor.show_image, name="second_factor_image"),
    path("second-factor/remove/", second_factor.Remove.as_view(), name="mfa_deactivate_totp"),
    path("second-factor/codes/", second_factor.RecoveryCodes.as_view(), name="mfa_view_recovery_codes"),
    path("second-factor/codes/new/", second_factor.NewRecoveryCodes.as_view(), name="mfa_generate_recovery_codes"),
    path("second-factor/codes/file/", second_factor.RecoveryCodesFile.as_view(), name="mfa_download_recovery_codes"),
]
