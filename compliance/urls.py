from django.urls import path

from compliance import views

app_name = "compliance"
urlpatterns = [
    path("", views.queue, name="queue"),
    path("<uuid:review_id>/", views.review, name="review"),
    path("<uuid:review_id>/claim/", views.claim, name="claim"),
    path("<uuid:review_id>/release/", views.release, name="release"),
    path("<uuid:review_id>/work/", views.work, name="work"),
]
