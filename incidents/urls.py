from django.urls import path

from incidents import views

app_name = "incidents"
urlpatterns = [
    path("", views.incident_list, name="list"),
    path("report/", views.report, name="report"),
    path("<uuid:incident_id>/", views.detail, name="detail"),
    path("<uuid:incident_id>/entry/", views.add_entry, name="entry"),
    path("<uuid:incident_id>/state/", views.change_state, name="state"),
]
