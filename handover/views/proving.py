"""The page on which a lead takes the proof of one record."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.limits import LimitError, refused, spend
from accounts.stepup import fresh_factor_required
from handover.errors import HandoverError
from handover.forms.certificate import ProofForm
from handover.models import Certificate
from handover.proofs import Proof, proof_text
from handover.services.proving import clearance_to_prove, may_prove, prove
from handover.views.certificate import download, visible_certificate
from handover.views.delivery import names_of
from handover.views.pages import user_of


@login_required
@fresh_factor_required
@require_http_methods(["GET", "HEAD", "POST"])
def proof(request: HttpRequest, handover_id: UUID) -> HttpResponse:
    """Ask for the record and the purpose; the answer is the file."""
    found = visible_certificate(request, handover_id)
    if request.method != "POST" and not may_prove(user_of(request), found.handover):
        messages.error(request, _("Only leads of the seller and the buyer prove single records. Ask one of them."))
        return redirect("handover:certificate", handover_id)
    form = ProofForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            spend(request, "reveal", timezone.now())
            made = _proved(request, found, form)
            return download(proof_text(made).encode(), "application/json", _name(found, made))
        except LimitError as error:
            form.add_error(None, str(error))
            return refused(_page(request, found, form), error)
        except HandoverError as error:
            form.add_error(None, str(error))
    return _page(request, found, form)


def _proved(request: HttpRequest, found: Certificate, form: ProofForm) -> Proof:
    return prove(
        actor=user_of(request),
        certificate=found,
        wanted=form.cleaned_data["record"],
        purpose=form.cleaned_data["purpose"],
        now=timezone.now(),
    )


def _name(found: Certificate, made: Proof) -> str:
    return f"{found.handover.reference}-proof-{made.identity.hex[-8:]}.json"


def _page(request: HttpRequest, found: Certificate, form: ProofForm) -> HttpResponse:
    context = {
        "handover": found.handover,
        "form": form,
        "names": names_of(found.handover),
        "clearance": clearance_to_prove(user_of(request), found.handover, timezone.now()),
    }
    return render(request, "handover/proof.html", context, status=422 if form.errors else 200)
