"""The list of handovers, and opening one."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.limits import LimitError, spend
from accounts.services.invitations import first_invitation
from accounts.stepup import asks_itself, fresh_factor_required, is_wanted, proof_link
from handover.blockers import buyer_is_here
from handover.errors import HandoverError
from handover.forms.opening import FilterForm, OpenForm
from handover.hints import KIND_HINTS
from handover.lines import lines_of
from handover.models import Handover
from handover.permissions import may_open, may_sell
from handover.selectors import SHOWN, books_to_hand_over, handovers_visible_to, with_gates
from handover.services import inviting, opening
from handover.views.pages import user_of, visible
from handover.workflow import HandoverState

PER_PAGE = 25


@require_safe
@login_required
def handover_list(request: HttpRequest) -> HttpResponse:
    """Handovers that I may see, by state."""
    form = FilterForm(request.GET)
    chosen = form.chosen()
    visible = handovers_visible_to(user_of(request))
    found = _filtered(visible, chosen["state"], chosen["q"])
    page = Paginator(with_gates(found).annotate(customers_count=Count("book__customers")), PER_PAGE)
    shown = page.get_page(request.GET.get("page"))
    context = {
        "page": shown,
        "lines": lines_of(list(shown), user_of(request), timezone.localdate()),
        "chosen": chosen,
        "tabs": _tabs(visible, chosen["state"]),
        "may_open": may_open(user_of(request)),
    }
    return render(request, "handover/list.html", context)


def _filtered(found: QuerySet[Handover], state: str, text: str) -> QuerySet[Handover]:
    if state != "all":
        found = found.filter(state=state)
    for word in text.split():
        names = Q(seller__name__icontains=word) | Q(buyer__name__icontains=word) | Q(reviewer__name__icontains=word)
        found = found.filter(names | Q(reference__icontains=word) | Q(subject__icontains=word))
    return found


def _tabs(visible: QuerySet[Handover], chosen: str) -> list[tuple[str, str, int, bool]]:
    rows = visible.order_by().values_list("state").annotate(count=Count("pk"))
    counts = dict(rows)
    tabs = [(state.value, str(state.label), counts.get(state.value, 0)) for state in SHOWN]
    tabs.append(("all", _("All"), sum(counts.values())))
    return [(value, label, count, value == chosen) for value, label, count in tabs]


@login_required
@asks_itself
@require_http_methods(["GET", "HEAD", "POST"])
def open_handover(request: HttpRequest) -> HttpResponse:
    """Open a handover, for the agency and leads of a business."""
    user = user_of(request)
    if not may_open(user):
        raise PermissionDenied
    form = OpenForm(request.POST if request.method == "POST" else None, user=user)
    if form.is_valid() and form.newcomer is not None and is_wanted(request):
        # Inviting somebody asks for the second factor, as everywhere.
        form.add_error(None, proof_link(request))
    elif form.is_valid():
        try:
            handover = _opened(request, form)
        except (HandoverError, LimitError) as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Handover %(reference)s is open. Gate 1 is next.") % {"reference": handover})
            return redirect("handover:detail", handover.pk)
    context = {"form": form, "hints": KIND_HINTS, "books": books_to_hand_over(user).exists()}
    return render(request, "handover/open.html", context, status=422 if form.errors else 200)


def _opened(request: HttpRequest, form: OpenForm) -> Handover:
    """The handover, with the buyer invited if it is new."""
    user, now = user_of(request), timezone.now()
    if (newcomer := form.newcomer) is None:
        return opening.open_handover(actor=user, terms=form.terms_for(form.cleaned_data["buyer"]), now=now)
    spend(request, "invite", now, subject=newcomer.contact_email)
    return inviting.open_and_invite(
        actor=user, terms_for=form.terms_for, newcomer=newcomer, link=invitation_link(request), now=now
    )


def invitation_link(request: HttpRequest) -> Callable[[str], str]:
    """Makes the address of an invitation out of its token."""
    return lambda token: request.build_absolute_uri(reverse("invitation_link", args=[token]))


@login_required
@fresh_factor_required
@require_http_methods(["GET", "HEAD", "POST"])
def buyer_invitation(request: HttpRequest, handover_id: UUID) -> HttpResponse:
    """How the invitation of the buyer stands; who may send it again."""
    handover, user = visible(request, handover_id), user_of(request)
    if request.method == "POST":
        try:
            now = timezone.now()
            spend(request, "invite", now, subject=handover.buyer.contact_email)
            inviting.invite_again(actor=user, handover=handover, link=invitation_link(request), now=now)
        except (HandoverError, LimitError) as error:
            messages.error(request, str(error))
        else:
            messages.success(request, _("The invitation is on its way again. The link before works no more."))
        return redirect(request.path)
    context = {
        "handover": handover,
        "here": buyer_is_here(handover),
        "invitation": first_invitation(handover.buyer),
        "may_send": handover.state == HandoverState.OPEN and may_sell(user, handover.seller_id),
    }
    return render(request, "handover/buyer_invitation.html", context)
