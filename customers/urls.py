from django.urls import URLPattern, path

from customers.views import imports

app_name = "customers"
urlpatterns: list[URLPattern] = [
    path("<uuid:book_id>/import/", imports.upload, name="import_upload"),
    path("imports/<uuid:import_id>/", imports.show, name="import"),
    path("imports/<uuid:import_id>/check/", imports.check, name="import_check"),
    path("imports/<uuid:import_id>/columns/", imports.change, name="import_change"),
    path("imports/<uuid:import_id>/bad-rows.csv", imports.bad_rows, name="import_bad_rows"),
    path("imports/<uuid:import_id>/store/", imports.store, name="import_store"),
    path("imports/<uuid:import_id>/cancel/", imports.cancel, name="import_cancel"),
]
