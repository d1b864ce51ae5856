"""The list of handovers, and opening one."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from handover.errors import HandoverError
from handover.forms.opening import FilterForm, OpenForm
from handover.lines import lines_of
from handover.models import Handover
from handover.permissions import may_open
from handover.selectors import SHOWN, books_to_hand_over, handovers_visible_to, with_gates
from handover.services import opening
from handover.views.pages import user_of

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
@require_http_methods(["GET", "HEAD", "POST"])
def open_handover(request: HttpRequest) -> HttpResponse:
    """Open a handover, for the agency and leads of a business."""
    user = user_of(request)
    if not may_open(user):
        raise PermissionDenied
    form = OpenForm(request.POST if request.method == "POST" else None, user=user)
    if form.is_valid():
        try:
            given = form.cleaned_data
            terms = opening.Terms(seller=given["book"].organization, **given)
            handover = opening.open_handover(actor=user, terms=terms, now=timezone.now())
        except HandoverError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Handover %(reference)s is open. Gate 1 is next.") % {"reference": handover})
            return redirect("handover:detail", handover.pk)
    context = {"form": form, "books": books_to_hand_over(user).exists()}
    return render(request, "handover/open.html", context, status=422 if form.errors else 200)
