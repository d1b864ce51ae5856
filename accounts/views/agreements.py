"""What I must sign and pass, the agreements, and their signed copies."""

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts import services
from accounts.clearance_forms import PublishForm, SignForm
from accounts.courses import language
from accounts.errors import AccountsError
from accounts.models import Agreement, Signature, User
from accounts.overview import agreements_visible_to, colleagues_of, overview_of
from accounts.prose import blocks, text_hash
from accounts.publishing import Place, places_for
from accounts.selectors import agreements_in_force, signatures_visible_to


@login_required
@require_safe
def clearance(request: HttpRequest) -> HttpResponse:
    """What opens customer data to me: agreements and courses, and what is missing; as a lead, my colleagues' too."""
    user, now = _user(request), timezone.now()
    context = {
        "overview": overview_of(user, now),
        "colleagues": colleagues_of(user, now),
        "may_publish": bool(places_for(user, now)),
    }
    return render(request, "accounts/clearance.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def agreement(request: HttpRequest, agreement_id: UUID) -> HttpResponse:
    """Read a version and sign it, or see that one has signed it."""
    shown = get_object_or_404(_visible(request), pk=agreement_id)
    signature = Signature.objects.filter(agreement=shown, user=_user(request)).first()
    start = {"text_hash": shown.text_hash, "language": language()}
    form = SignForm(request.POST) if request.method == "POST" else SignForm(initial=start)
    if form.is_valid():
        try:
            _sign(request, shown, form)
        except AccountsError as error:
            form.add_error("name", str(error))
        else:
            messages.success(request, _("Signed. Your copy is under “My clearance”."))
            return HttpResponseRedirect(_next(request))
    in_force = agreements_in_force([(shown.organization_id, shown.handover)])[0].pk == shown.pk
    context = {
        "agreement": shown,
        "signature": signature,
        "in_force": in_force,
        "form": form,
        "next": request.POST.get("next", request.GET.get("next", "")),
        "texts": _texts(shown, first=language()),
    }
    return render(request, "accounts/agreement.html", context, status=422 if form.errors else 200)


def _sign(request: HttpRequest, shown: Agreement, form: SignForm) -> None:
    services.sign(
        actor=_user(request),
        agreement=shown,
        name=form.cleaned_data["name"],
        address=request.META.get("REMOTE_ADDR") or None,
        language=form.cleaned_data["language"],
        text_hash=form.cleaned_data["text_hash"],
        now=timezone.now(),
    )


@login_required
@require_safe
def signed_copy(request: HttpRequest, signature_id: UUID) -> HttpResponse:
    """The signed text with its signature, to print; the digest is computed again from what is shown."""
    signature = get_object_or_404(signatures_visible_to(_user(request)), pk=signature_id)
    shown = signature.agreement
    computed = text_hash(shown.title_zh, shown.text_zh, shown.title_en, shown.text_en)
    context = {
        "signature": signature,
        "agreement": shown,
        "texts": _texts(shown, first=signature.language),
        "holds": computed == signature.text_hash,
    }
    return render(request, "accounts/signed_copy.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def publish(request: HttpRequest) -> HttpResponse:
    """Write the next version of an agreement, beginning with the one in force."""
    user, now = _user(request), timezone.now()
    places = places_for(user, now)
    if not places:
        raise Http404
    form = PublishForm(request.POST, places=places) if request.method == "POST" else _begun(request, places)
    if form.is_valid():
        texts = {name: form.cleaned_data[name] for name in PublishForm.Meta.fields}
        place = form.chosen
        try:
            services.publish_agreement(
                actor=user,
                organization=place.organization,
                handover=place.handover,
                audience=place.audience,
                now=now,
                **texts,
            )
        except AccountsError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Published. Everybody to whom it applies is asked to sign it."))
            return redirect("clearance")
    return render(request, "accounts/publish.html", {"form": form}, status=422 if form.errors else 200)


def _begun(request: HttpRequest, places: list[Place]) -> PublishForm:
    """The form with the text that applies at the place in the address."""
    asked = request.GET.get("place", "")
    place = next((one for one in places if one.key == asked), places[0])
    found = {(one.organization_id, one.handover): one for one in agreements_in_force([place.scope, (None, None)])}
    begins = found.get(place.scope) or found.get((None, None))
    texts = {name: getattr(begins, name) for name in PublishForm.Meta.fields} if begins else {}
    return PublishForm(places=places, initial={**texts, "place": place.key})


def _texts(shown: Agreement, first: str) -> list[tuple[str, str, object]]:
    """Language, title and text in both languages, the one that is read first."""
    both = {
        "zh": ("zh-Hans", shown.title_zh, list(blocks(shown.text_zh))),
        "en": ("en", shown.title_en, list(blocks(shown.text_en))),
    }
    return [both[first], both["en" if first == "zh" else "zh"]]


def _next(request: HttpRequest) -> str:
    """Back to where the person was asked to sign, else to what else is missing."""
    target, hosts = request.POST.get("next", ""), {request.get_host()}
    safe = url_has_allowed_host_and_scheme(target, allowed_hosts=hosts, require_https=request.is_secure())
    return target if safe else reverse("clearance")


def _visible(request: HttpRequest) -> QuerySet[Agreement]:
    return agreements_visible_to(_user(request), timezone.now())


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)
