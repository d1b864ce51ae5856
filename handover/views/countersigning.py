"""Signing the certificate for a side, and what shows that it was signed: the file and the key of each side."""

import base64
import json
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.countries import country_name
from accounts.stepup import fresh_factor_required
from handover.countersignature import SIDES, file_of, statement
from handover.errors import HandoverError
from handover.forms.confirming import ApproveForm
from handover.models import Certificate, Countersignature
from handover.permissions import sides_of
from handover.services.countersigning import countersign
from handover.signatures import SideSignature, signatures_of
from handover.views.certificate import download, pem_of, visible_certificate
from handover.views.delivery import names_of
from handover.views.pages import user_of


@login_required
@fresh_factor_required
@require_http_methods(["GET", "HEAD", "POST"])
def sign(request: HttpRequest, handover_id: UUID) -> HttpResponse:
    """Show exactly what is signed; a POST with the digest of the certificate signs."""
    found = visible_certificate(request, handover_id)
    signatures = signatures_of(found.handover, user_of(request))
    line = signatures.to_sign if signatures else None
    if request.method != "POST":
        return _ask(request, found, line)
    form = ApproveForm(request.POST)
    digest = bytes.fromhex(form.cleaned_data["digest"]) if form.is_valid() else b""
    try:
        side = line.side if line else _own_side(request, found)
        countersign(actor=user_of(request), certificate=found, side=side, digest=digest, now=timezone.now())
    except HandoverError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("You have signed the certificate."))
    return redirect("handover:certificate", handover_id)


def _ask(request: HttpRequest, found: Certificate, line: SideSignature | None) -> HttpResponse:
    if line is None:
        messages.error(request, _("There is nothing for you to sign. This page says who signs for each side."))
        return redirect("handover:certificate", found.handover_id)
    said = json.loads(found.document)["sections"]
    party = said["parties"][line.side]
    context = {
        "handover": found.handover,
        "digest": bytes(found.digest).hex(),
        "line": line,
        "party": party,
        "country": country_name(party["country"]),
        "statement": statement(party["legal_name"], said["handover"]["reference"]),
    }
    return render(request, "handover/countersign.html", context)


def _own_side(request: HttpRequest, found: Certificate) -> str:
    """The side in whose name a person who may not sign is told so."""
    return next(iter(sides_of(user_of(request), found.handover)), SIDES[0])


@require_safe
@login_required
def document(request: HttpRequest, handover_id: UUID) -> HttpResponse:
    """What was signed so far, as one file."""
    found = visible_certificate(request, handover_id)
    made = list(found.countersignatures.all())
    if not made:
        raise Http404
    return download(file_of(made).encode(), "application/json", names_of(found.handover)["countersignatures"])


@require_safe
@login_required
def key(request: HttpRequest, handover_id: UUID, side: str) -> HttpResponse:
    """The public key with which a side signed, for everybody in the handover to keep."""
    found = visible_certificate(request, handover_id)
    made = get_object_or_404(Countersignature, certificate=found, side=side)
    public = base64.b64decode(json.loads(made.document)["signature"]["public_key"])
    return download(pem_of(public), "application/x-pem-file", f"{found.handover.reference}-{side}-key.pem")
