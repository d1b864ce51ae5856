from django.urls import include, path
from django.views.i18n import set_language

from accounts import views

urlpatterns = [
    path("", views.home, name="home"),
    path("language/", set_language, name="language"),
    path("theme/", views.theme, name="theme"),
    path("demo/", views.demo_sign_in, name="demo"),
    path("demo/look/", views.look, name="look"),
    path("accounts/", include("allauth.account.urls")),
]
