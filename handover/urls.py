from django.urls import URLPattern, path

from handover.views import (
    approvals,
    audit,
    backup,
    certificate,
    delivery,
    execution,
    listing,
    necessity,
    overview,
    plan,
    scope,
)

app_name = "handover"
urlpatterns: list[URLPattern] = [
    path("", listing.handover_list, name="list"),
    path("open/", listing.open_handover, name="open"),
    path("<uuid:handover_id>/", overview.detail, name="detail"),
    path("<uuid:handover_id>/stop/", overview.stop, name="stop"),
    path("<uuid:handover_id>/necessity/", necessity.page, name="necessity"),
    path("<uuid:handover_id>/scope/", scope.page, name="scope"),
    path("<uuid:handover_id>/scope/propose/", scope.propose, name="scope_propose"),
    path("<uuid:handover_id>/scope/<int:number>/", scope.version, name="scope_version"),
    path("<uuid:handover_id>/plan/", plan.page, name="plan"),
    path("<uuid:handover_id>/backup/", backup.page, name="backup"),
    path("<uuid:handover_id>/backup/start/", backup.start, name="backup_start"),
    path("<uuid:handover_id>/backup/screen-again/", backup.screen_again, name="screen_again"),
    path("<uuid:handover_id>/execution/", execution.page, name="execution"),
    path("<uuid:handover_id>/execution/start/", execution.start, name="execution_start"),
    path("<uuid:handover_id>/audit/", audit.page, name="audit"),
    path("<uuid:handover_id>/certificate/", certificate.certificate, name="certificate"),
    path("<uuid:handover_id>/certificate.json", certificate.document, name="certificate_json"),
    path("<uuid:handover_id>/certificate.pdf", certificate.sheet, name="certificate_pdf"),
    path("<uuid:handover_id>/manifest.txt", certificate.manifest, name="manifest"),
    path("<uuid:handover_id>/package/", delivery.package, name="package"),
    path("<uuid:handover_id>/package/again/", delivery.package_again, name="package_again"),
    path("certificate-key.pem", certificate.public_key, name="certificate_key"),
    path("<uuid:handover_id>/<slug:kind>/approve/", approvals.approve, name="approve"),
    path("<uuid:handover_id>/<slug:kind>/send-back/", approvals.send_back, name="send_back"),
]
