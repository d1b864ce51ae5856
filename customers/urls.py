from django.urls import URLPattern, path

from customers.views import books, customers, imports, keeping, requests, retention

app_name = "customers"
urlpatterns: list[URLPattern] = [
    path("", books.book_list, name="books"),
    path("new/", books.new, name="book_new"),
    path("<uuid:book_id>/", books.show, name="book"),
    path("<uuid:book_id>/search/", books.search, name="book_search"),
    path("<uuid:book_id>/export/", books.export, name="book_export"),
    path("<uuid:book_id>/habits/", books.derive, name="book_derive"),
    path("<uuid:book_id>/rules/<str:category>/", retention.rule, name="book_rule"),
    path("<uuid:book_id>/requests/", requests.request_list, name="requests"),
    path("requests/<uuid:request_id>/", requests.show, name="request"),
    path("requests/<uuid:request_id>/read/", requests.read, name="request_read"),
    path("requests/<uuid:request_id>/close/", requests.close, name="request_close"),
    path("customers/<uuid:customer_id>/", customers.show, name="customer"),
    path("<uuid:book_id>/holds/", keeping.book_holds, name="book_holds"),
    path("holds/<uuid:hold_id>/release/", keeping.release, name="hold_release"),
    path("customers/<uuid:customer_id>/holds/", keeping.customer_holds, name="customer_holds"),
    path("customers/<uuid:customer_id>/consents/", keeping.customer_consents, name="customer_consents"),
    path("consents/<uuid:consent_id>/withdraw/", keeping.withdraw, name="consent_withdraw"),
    path("customers/<uuid:customer_id>/<str:category>/", customers.open_category, name="customer_reveal"),
    path("<uuid:book_id>/import/", imports.upload, name="import_upload"),
    path("imports/<uuid:import_id>/", imports.show, name="import"),
    path("imports/<uuid:import_id>/check/", imports.check, name="import_check"),
    path("imports/<uuid:import_id>/columns/", imports.change, name="import_change"),
    path("imports/<uuid:import_id>/bad-rows.csv", imports.bad_rows, name="import_bad_rows"),
    path("imports/<uuid:import_id>/store/", imports.store, name="import_store"),
    path("imports/<uuid:import_id>/cancel/", imports.cancel, name="import_cancel"),
]
