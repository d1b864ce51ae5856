from allauth.account import views as signin
from django.urls import path, re_path
from django.views.i18n import set_language

from accounts import network_views, views

# Of allauth only the pages that we support; their names are allauth's own, it reverses them.
_SIGN_IN = [
    path("accounts/login/", signin.login, name="account_login"),
    path("accounts/logout/", signin.logout, name="account_logout"),
    path("accounts/inactive/", signin.account_inactive, name="account_inactive"),
    path("accounts/signup/", signin.signup, name="account_signup"),
    path("accounts/password/change/", signin.password_change, name="account_change_password"),
    path("accounts/password/set/", signin.password_set, name="account_set_password"),
    path("accounts/password/reset/", views.AskForLinkView.as_view(), name="account_reset_password"),
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
    path("", views.home, name="home"),
    path("language/", set_language, name="language"),
    path("theme/", views.theme, name="theme"),
    path("networks/", network_views.networks, name="networks"),
    path("networks/<uuid:organization_id>/", network_views.change_networks, name="networks_change"),
    path("demo/", views.demo_sign_in, name="demo"),
    path("demo/look/", views.look, name="look"),
    *_SIGN_IN,
]
