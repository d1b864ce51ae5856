"""Gate 2: which fields cross. Versions side by side, and the form of an offer."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from handover.content import items_of, newest_proposal
from handover.effects import Effect, effect_of, imports_of_book, jurisdictions_of
from handover.errors import HandoverError
from handover.forms.scope import Offered, OfferForm
from handover.gates import acts_of
from handover.models import Handover, ScopeProposal, ScopeQuestion
from handover.segmenting import segment_from
from handover.selectors import step_of
from handover.services import scope
from handover.services.necessity import needed_categories
from handover.services.questions import speaks_for
from handover.threads import unanswered, unread_by
from handover.versions import compared, signatures_of, versions_of
from handover.views.pages import board_of, gate_page, own_side, user_of, visible
from handover.workflow import Side, StepKind

KIND = StepKind.SCOPE


@require_safe
@login_required
def page(request: HttpRequest, handover_id: UUID) -> HttpResponse:
    """The newest version beside the one that it answers."""
    handover = visible(request, handover_id)
    return _versions_page(request, handover, newest_proposal(handover))


@require_safe
@login_required
def version(request: HttpRequest, handover_id: UUID, number: int) -> HttpResponse:
    """One version beside the one before it."""
    handover = visible(request, handover_id)
    shown = versions_of(handover).filter(version=number).first()
    if shown is None:
        raise Http404
    return _versions_page(request, handover, shown)


@require_safe
@login_required
def compare(request: HttpRequest, handover_id: UUID) -> HttpResponse:
    """Any two versions side by side, as chosen."""
    handover = visible(request, handover_id)
    before, after = (_numbered(handover, request.GET.get(name, "")) for name in ("before", "after"))
    if before is None or after is None or before == after:
        messages.info(request, _("Choose two different versions to compare."))
        return redirect("handover:scope", handover_id)
    return _versions_page(request, handover, after, before)


def _numbered(handover: Handover, number: str) -> ScopeProposal | None:
    return versions_of(handover).filter(version=int(number)).first() if number.isdecimal() and len(number) < 5 else None


def _versions_page(
    request: HttpRequest, handover: Handover, shown: ScopeProposal | None, before: ScopeProposal | None = None
) -> HttpResponse:
    versions, user, step = list(versions_of(handover)), user_of(request), step_of(handover, KIND)
    if before is None:
        before = next((one for one in versions if shown and one.version == shown.version - 1), None)
    side = speaks_for(user, step)
    only = "differences" in request.GET
    context = {
        "versions": versions,
        "newest": versions[0] if versions else None,
        "shown": shown,
        "comparison": compared(shown, before) if shown else None,
        "only_differences": only and before is not None,
        "signatures": signatures_of(step, versions),
        "effect": _effect(request, handover, shown) if shown else None,
        "asked": ScopeQuestion.objects.filter(handover=handover).count(),
        "unread": unread_by(user, handover),
        "unanswered": unanswered(handover, side) if side else 0,
        "speaks": side,
    }
    return gate_page(request, handover, KIND, "handover/scope.html", context=context)


def _effect(request: HttpRequest, handover: Handover, shown: ScopeProposal) -> Effect:
    crossings = {item.key: item.transform for item in items_of(shown)}
    return effect_of(handover, crossings, segment_from(shown.segment), user_of(request), timezone.now())


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def propose(request: HttpRequest, handover_id: UUID) -> HttpResponse:
    """Propose the first version, or answer the newest one with another."""
    handover = visible(request, handover_id)
    step = step_of(handover, KIND)
    side = acts_of(board_of(request, handover), step).draft
    if request.method != "POST":
        return _offer_page(request, handover, _form(request, handover), side)
    form = _form(request, handover)
    if form.is_valid() and "preview" in request.POST:
        return _offer_page(request, handover, form, side)
    if form.is_valid():
        try:
            proposal = scope.propose(
                actor=user_of(request),
                step=step,
                side=side or own_side(request, handover),
                crossings=form.crossings,
                note=form.cleaned_data["note"],
                answers=form.cleaned_data["answers"],
                segment=form.segment,
                now=timezone.now(),
            )
        except HandoverError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Version %(version)s is on the table.") % {"version": proposal.version})
            return redirect("handover:scope", handover_id)
    return _offer_page(request, visible(request, handover_id), form, side, status=422)


def _form(request: HttpRequest, handover: Handover) -> OfferForm:
    newest = newest_proposal(handover)
    return OfferForm(
        request.POST if request.method == "POST" else None,
        newest=newest,
        items=items_of(newest) if newest else [],
        needed=needed_categories(handover),
        offered=Offered(jurisdictions_of(handover), imports_of_book(handover)),
    )


def _offer_page(
    request: HttpRequest, handover: Handover, form: OfferForm, side: Side | None, status: int = 200
) -> HttpResponse:
    """The form. Without the right to offer only the versions are left to read."""
    if side is None and not form.is_bound:
        messages.info(request, _("You cannot propose a version now. Read what is on the table."))
        return redirect("handover:scope", handover.pk)
    context: dict[str, object] = {"form": form, "newest": newest_proposal(handover), "offering": True}
    if form.is_bound and form.is_valid() and side is not None:
        crossings = {one.key: one.transform for one in form.crossings}
        context["effect"] = effect_of(handover, crossings, form.segment, user_of(request), timezone.now())
    return gate_page(request, handover, KIND, "handover/scope_offer.html", context=context, status=status)
