"""The certificate: the sheet on the screen and as PDF, the signed file and the manifest byte for byte as stored, and
the platform's key."""

from typing import cast
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from accounts.models import User
from handover.certificate import SIGNING_KEY
from handover.models import Certificate
from handover.pdf import pdf_of
from handover.selectors import handovers_visible_to
from handover.services.proving import may_prove
from handover.sheet import Sheet, sheet_of
from handover.signatures import signatures_of
from handover.views.delivery import delivery_context, names_of
from vault import signing


@require_safe
@login_required
def certificate(request: HttpRequest, handover_id: UUID) -> HttpResponse:
    """One A4 sheet, and below it how to verify it and the package."""
    found = visible_certificate(request, handover_id)
    context = {
        "handover": found.handover,
        "sheet": _sheet(request, found),
        "offset": timezone.localtime(found.issued_at).isoformat()[-6:],
        "names": names_of(found.handover),
        "may_prove": may_prove(cast(User, request.user), found.handover),
        "signatures": signatures_of(found.handover, cast(User, request.user)),
        **delivery_context(cast(User, request.user), found.handover, timezone.now()),
    }
    return render(request, "handover/certificate.html", context)


@require_safe
@login_required
def sheet(request: HttpRequest, handover_id: UUID) -> HttpResponse:
    """The sheet as PDF, the same bytes whenever it is asked for, until another side signs."""
    found = visible_certificate(request, handover_id)
    names = names_of(found.handover)
    made = pdf_of(_sheet(request, found), names["document"], found.issued_at)
    return download(made, "application/pdf", names["sheet"])


@require_safe
@login_required
def document(request: HttpRequest, handover_id: UUID) -> HttpResponse:
    """The signed file."""
    found = visible_certificate(request, handover_id)
    return download(found.document.encode(), "application/json", names_of(found.handover)["document"])


@require_safe
@login_required
def manifest(request: HttpRequest, handover_id: UUID) -> HttpResponse:
    """The leaf hash of every customer."""
    found = visible_certificate(request, handover_id)
    return download(found.manifest.encode(), "text/plain; charset=utf-8", names_of(found.handover)["manifest"])


@require_safe
@cache_control(public=True, max_age=300)
def public_key(request: HttpRequest) -> HttpResponse:
    """The key that checks certificates, for anybody: who verifies one needs no account here."""
    return HttpResponse(pem_of(signing.public_key(SIGNING_KEY)), content_type="application/x-pem-file")


def pem_of(public: bytes) -> bytes:
    """The 32 bytes of a public key as people keep it."""
    return Ed25519PublicKey.from_public_bytes(public).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _sheet(request: HttpRequest, found: Certificate) -> Sheet:
    where = reverse("verdict", args=[bytes(found.digest).hex()])
    return sheet_of(found, found.countersignatures.all(), request.build_absolute_uri(where))


def visible_certificate(request: HttpRequest, handover_id: UUID) -> Certificate:
    """The certificate with its handover, or 404."""
    handovers = handovers_visible_to(cast(User, request.user))
    found: Certificate = get_object_or_404(Certificate, handover__in=handovers.order_by(), handover=handover_id)
    found.handover = get_object_or_404(handovers, pk=handover_id)
    return found


def download(content: bytes, content_type: str, name: str) -> HttpResponse:
    """A file that is saved, not shown."""
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response
