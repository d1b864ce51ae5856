"""The public page that a certificate's QR code leads to. No account, no names: a hash, a day, whether it holds."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.limits import spend
from handover.forms.certificate import HashForm
from handover.verifying import Verdict, verdict_on


@require_safe
def verify(request: HttpRequest) -> HttpResponse:
    """Ask for the hash, which then stands in the address: that is where the code on the paper leads too."""
    form = HashForm(request.GET if "digest" in request.GET else None)
    if form.is_valid():
        return redirect("verdict", form.cleaned_data["digest"])
    return _page(request, form, status=422 if form.errors else 200)


@require_safe
def verdict(request: HttpRequest, digest: str) -> HttpResponse:
    """What is known of one hash. An address that was cut short is answered like a hash that was."""
    form = HashForm({"digest": digest})
    if not form.is_valid():
        return _page(request, form, status=404)
    spend(request, "verify", timezone.now())
    found = verdict_on(bytes.fromhex(form.cleaned_data["digest"]))
    return _page(request, form, found, status=200 if found else 404)


def _page(request: HttpRequest, form: HashForm, found: Verdict | None = None, *, status: int) -> HttpResponse:
    digest = form.cleaned_data.get("digest", "") if form.is_bound else ""
    context = {
        "form": HashForm() if digest else form,
        "digest": digest,
        "found": found,
        "offset": timezone.localtime(found.issued_at).isoformat()[-6:] if found else "",
    }
    response = render(request, "handover/verify.html", context, status=status)
    # An answer belongs to whoever holds the paper, not to a search engine.
    response["X-Robots-Tag"] = "noindex"
    return response
