from allauth.account import views as signin
from allauth.mfa.base import views as codes
from allauth.mfa.webauthn import views as passkeys
from django.urls import include, path, re_path
from django.views.i18n import set_language

from accounts import factor_views, network_views, session_views
from accounts.views import access, agreements, courses, home, invitations, leaving, ledger, people

# Of allauth only the pages that we support; their names are allauth's own, it reverses them.
_SIGN_IN = [
    path("accounts/login/", signin.login, name="account_login"),
    path("accounts/logout/", signin.logout, name="account_logout"),
    path("accounts/inactive/", signin.account_inactive, name="account_inactive"),
    path("accounts/signup/", signin.signup, name="account_signup"),
    path("accounts/password/change/", signin.password_change, name="account_change_password"),
    path("accounts/password/set/", signin.password_set, name="account_set_password"),
    path("accounts/password/reset/", home.AskForLinkView.as_view(), name="account_reset_password"),
    path("accounts/password/reset/done/", signin.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^accounts/password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        signin.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path(
        "accounts/password/reset/key/done/",
        signin.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    path("accounts/login/code/", codes.authenticate, name="mfa_authenticate"),
    path("accounts/login/passkey/", passkeys.login_webauthn, name="mfa_login_webauthn"),
    path("accounts/again/password/", signin.reauthenticate, name="account_reauthenticate"),
    path("accounts/again/code/", codes.reauthenticate, name="mfa_reauthenticate"),
    path("accounts/again/passkey/", factor_views.PasskeyAgain.as_view(), name="mfa_reauthenticate_webauthn"),
]
_SECURITY = [
    path("", factor_views.security, name="mfa_index"),
    path("app/", factor_views.AddApp.as_view(), name="mfa_activate_totp"),
    path("app/remove/", factor_views.RemoveApp.as_view(), name="mfa_deactivate_totp"),
    path("passkeys/add/", factor_views.AddPasskey.as_view(), name="mfa_add_webauthn"),
    path("passkeys/<int:pk>/", factor_views.RenamePasskey.as_view(), name="mfa_edit_webauthn"),
    path("passkeys/<int:pk>/remove/", factor_views.RemovePasskey.as_view(), name="mfa_remove_webauthn"),
    path("codes/", factor_views.ShowCodes.as_view(), name="mfa_view_recovery_codes"),
    path("codes/new/", factor_views.MakeCodes.as_view(), name="mfa_generate_recovery_codes"),
    path("sessions/", session_views.session_list, name="sessions"),
    path("sessions/others/end/", session_views.end_others, name="sessions_end_others"),
    path("sessions/<int:session_id>/end/", session_views.end, name="session_end"),
]

urlpatterns = [
    path("", home.home, name="home"),
    path("language/", set_language, name="language"),
    path("theme/", home.theme, name="theme"),
    path("networks/", network_views.networks, name="networks"),
    path("networks/<uuid:organization_id>/", network_views.change_networks, name="networks_change"),
    path("demo/", home.demo_sign_in, name="demo"),
    path("demo/look/", home.look, name="look"),
    path("access/", access.overview, name="access"),
    path("access/teams/new/", access.team_new, name="team_new"),
    path("access/teams/<uuid:team_id>/", access.team_change, name="team_change"),
    path("access/teams/<uuid:team_id>/remove/", access.team_remove, name="team_remove"),
    path("access/people/<uuid:person_id>/", access.person, name="access_person"),
    path("access/people/<uuid:person_id>/view/", access.view_as, name="view_as"),
    path("access/view/stop/", access.view_stop, name="view_stop"),
    path("access/<slug:kind>/<uuid:item_id>/grant/", access.give, name="access_grant"),
    path("access/<slug:kind>/grants/<uuid:grant_id>/revoke/", access.take, name="access_revoke"),
    path("clearance/", agreements.clearance, name="clearance"),
    path("agreements/publish/", agreements.publish, name="agreement_publish"),
    path("agreements/<uuid:agreement_id>/", agreements.agreement, name="agreement"),
    path("agreements/signatures/<uuid:signature_id>/", agreements.signed_copy, name="signed_copy"),
    path("invitations/", invitations.invitation, name="invitation"),
    path("invitations/<str:token>/", invitations.link, name="invitation_link"),
    path("people/", people.people, name="people"),
    path("people/invite/<uuid:organization_id>/", people.invite, name="invite"),
    path("people/invitations/<uuid:invitation_id>/again/", people.send_again, name="invitation_again"),
    path("people/invitations/<uuid:invitation_id>/withdraw/", people.withdraw, name="invitation_withdraw"),
    path("people/members/<uuid:membership_id>/role/", people.change_role, name="member_role"),
    path("people/members/<uuid:membership_id>/offboard/", leaving.offboard, name="offboard"),
    path("people/departures/<uuid:departure_id>/", leaving.departure, name="departure"),
    path("ledger/export/", ledger.export, name="ledger_export"),
    path("courses/<slug:code>/", courses.course, name="course"),
    path("courses/<slug:code>/<int:number>/", courses.lesson, name="lesson"),
    path("courses/<slug:code>/questions/", courses.quiz, name="quiz"),
    path("courses/certificates/<uuid:completion_id>/", courses.certificate, name="course_certificate"),
    *_SIGN_IN,
    path("accounts/security/", include(_SECURITY)),
]
