from django.contrib import admin
from django.urls import include, path

from compliance.law_views import law_page
from config.csp_reports import csp_report
from config.health import healthz
from config.metrics import metrics
from handover.public_views import notice
from handover.views import verifying
from incidents.views import posture

urlpatterns = [
    path("", include("accounts.urls")),
    path("jobs/", include("jobs.urls")),
    path("ledger/", include("ledger.urls")),
    path("books/", include("customers.urls")),
    path("reviews/", include("compliance.urls")),
    path("law/", law_page, name="law"),
    path("c/<str:token>/", notice, name="notice"),
    path("handovers/", include("handover.urls")),
    path("verify/", verifying.verify, name="verify"),
    path("verify/<str:digest>/", verifying.verdict, name="verdict"),
    path("incidents/", include("incidents.urls")),
    path("posture/", posture, name="posture"),
    path("admin/", admin.site.urls),
    path("metrics/", metrics, name="metrics"),
    path("healthz", healthz, name="healthz"),
    path("csp-report/", csp_report, name="csp_report"),
]
handler429 = "accounts.limits.too_many_requests"  # allauth asks for it
