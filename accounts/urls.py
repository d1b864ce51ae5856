from allauth.account import views as signin
from django.urls import path, re_path
from django.views.i18n import set_language

from accounts.views import agreements, courses, home

# Of allauth only the pages that we support; their names are allauth's own, it reverses them.
_SIGN_IN = [
    path("accounts/login/", signin.login, name="account_login"),
    path("accounts/logout/", signin.logout, name="account_logout"),
    path("accounts/inactive/", signin.account_inactive, name="account_inactive"),
    path("accounts/signup/", signin.signup, name="account_signup"),
    path("accounts/password/change/", signin.password_change, name="account_change_password"),
    path("accounts/password/set/", signin.password_set, name="account_set_password"),
    path("accounts/password/reset/", signin.password_reset, name="account_reset_password"),
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
]

urlpatterns = [
    path("", home.home, name="home"),
    path("language/", set_language, name="language"),
    path("theme/", home.theme, name="theme"),
    path("demo/", home.demo_sign_in, name="demo"),
    path("demo/look/", home.look, name="look"),
    path("clearance/", agreements.clearance, name="clearance"),
    path("agreements/publish/", agreements.publish, name="agreement_publish"),
    path("agreements/<uuid:agreement_id>/", agreements.agreement, name="agreement"),
    path("agreements/signatures/<uuid:signature_id>/", agreements.signed_copy, name="signed_copy"),
    path("courses/<slug:code>/", courses.course, name="course"),
    path("courses/<slug:code>/<int:number>/", courses.lesson, name="lesson"),
    path("courses/<slug:code>/questions/", courses.quiz, name="quiz"),
    path("courses/certificates/<uuid:completion_id>/", courses.certificate, name="course_certificate"),
    *_SIGN_IN,
]
