from django.urls import path

from jobs import views

app_name = "jobs"
urlpatterns = [
    path("", views.job_list, name="list"),
    path("<uuid:pk>/", views.detail, name="detail"),
    path("<uuid:pk>/panel/", views.panel, name="panel"),
    path("<uuid:pk>/cancel/", views.cancel, name="cancel"),
    path("<uuid:pk>/pause/", views.pause, name="pause"),
    path("<uuid:pk>/go-on/", views.go_on, name="go_on"),
    path("<uuid:pk>/retry/", views.retry, name="retry"),
]
