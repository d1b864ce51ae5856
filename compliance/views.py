"""The review queue: the list on the left, the selected review on the right, one form for all of it."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple, cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts import stepup
from accounts.models import User
from accounts.wording import due_label
from compliance import selectors, services
from compliance.clearance import clearance_for_screening
from compliance.errors import ComplianceError
from compliance.excerpts import excerpts_of
from compliance.forms import FilterForm, WorkForm, hit_ids
from compliance.models import Review, ScreeningHit
from compliance.outcomes import handler_of
from compliance.permissions import acts_for
from compliance.services.decisions import why_not_approve
from compliance.workflow import LIVE, Act
from ledger.selectors import entries_of

LONGEST_LIST = 200
HITS_SHOWN = 50
_NO_DECISION = frozenset({"", "claim", "release"})


class Filter(NamedTuple):
    """The filter in the URL and what it leaves of the queue."""

    form: FilterForm
    query: str
    reviews: QuerySet[Review]


def _filter(request: HttpRequest) -> Filter:
    user, form = cast(User, request.user), FilterForm(request.GET)
    chosen = form.chosen()
    found = selectors.shown(selectors.reviews_visible_to(user), user, chosen["show"], timezone.now())
    found = selectors.containing(found, chosen["q"])
    if chosen["kind"]:
        found = found.filter(kind=chosen["kind"])
    return Filter(form, urlencode({name: request.GET[name] for name in form.fields if name in request.GET}), found)


def _visible(request: HttpRequest, review_id: UUID) -> Review:
    return get_object_or_404(selectors.reviews_visible_to(cast(User, request.user)), pk=review_id)


def _address(review_id: UUID | None, query: str) -> str:
    path = reverse("compliance:review", args=[review_id]) if review_id else reverse("compliance:queue")
    return f"{path}?{query}" if query else path


@require_safe
@login_required
def queue(request: HttpRequest) -> HttpResponse:
    """The queue with its first review open beside it."""
    filtered = _filter(request)
    return _page(request, filtered, filtered.reviews.first(), view="list")


@require_safe
@login_required
def review(request: HttpRequest, review_id: UUID) -> HttpResponse:
    """The queue with one review open beside it."""
    return _page(request, _filter(request), _visible(request, review_id), view="work")


@require_POST
@login_required
def claim(request: HttpRequest, review_id: UUID) -> HttpResponse:
    """Take the review."""
    found = _visible(request, review_id)
    try:
        services.claim(actor=cast(User, request.user), review=found, now=timezone.now())
    except ComplianceError as error:
        messages.error(request, str(error))
    return redirect(_address(review_id, _filter(request).query))


@require_POST
@login_required
def release(request: HttpRequest, review_id: UUID) -> HttpResponse:
    """Agency staff give a claimed review back for an absent reviewer."""
    found = _visible(request, review_id)
    try:
        services.release(actor=cast(User, request.user), review=found, now=timezone.now())
    except ComplianceError as error:
        messages.error(request, str(error))
    return redirect(_address(review_id, _filter(request).query))


@require_POST
@login_required
@stepup.asks_itself
def work(request: HttpRequest, review_id: UUID) -> HttpResponse:
    """Everything typed on the page: save it, decide with it, or release the claim with it."""
    found, filtered = _visible(request, review_id), _filter(request)
    form = _work_form(request, found)
    stays = request.POST.get("decision", "") in {"", "claim"}
    # Asked before: what is decided has left the queue, and its place with it.
    following = review_id if stays else _next(request, filtered, review_id)
    if request.POST.get("decision", "") not in _NO_DECISION and stepup.is_wanted(request):
        # What was typed here, maybe for an hour, stays on the page.
        messages.warning(request, stepup.proof_link(request))
    elif form.is_valid():
        try:
            _store(request, found, form)
        except ComplianceError as error:
            form.add_error(None, str(error))
        else:
            return redirect(_address(following, filtered.query))
    return _page(request, filtered, _visible(request, review_id), view="work", form=form)


def _store(request: HttpRequest, found: Review, form: WorkForm) -> None:
    actor, now, decision = cast(User, request.user), timezone.now(), request.POST.get("decision", "")
    if decision == "":
        services.save_work(actor=actor, review=found, work=form.work(), now=now)
        messages.success(request, _("Saved. The claim stays with you."))
    elif decision == "claim":
        services.claim(actor=actor, review=found, work=form.work(), now=now)
        messages.success(request, _("Claimed by you and saved."))
    elif decision == "release":
        services.release(actor=actor, review=found, work=form.work(), now=now)
        messages.success(request, _("Saved and given back to the queue."))
    else:
        reason = form.cleaned_data["reason"]
        services.decide(actor=actor, review=found, decision=decision, reason=reason, work=form.work(), now=now)
        messages.success(request, _("Decided: %(review)s.") % {"review": found})


def _next(request: HttpRequest, filtered: Filter, review_id: UUID) -> UUID | None:
    """The review that follows in the filtered queue and that the person may work on, or the first such, or none."""
    mine = selectors.workable(filtered.reviews, cast(User, request.user))
    ids = list(mine.values_list("pk", flat=True)[:LONGEST_LIST])
    place = ids.index(review_id) if review_id in ids else -1
    others = ids[place + 1 :] + ids[: max(place, 0)]
    return others[0] if others else None


def _work_form(request: HttpRequest, found: Review) -> WorkForm:
    data = request.POST if request.method == "POST" else None
    hits = selectors.hits_of(found.screening) if found.screening else ScreeningHit.objects.none()
    shown = hits[:HITS_SHOWN]
    if data is not None:
        # Radio buttons that nobody chose are not sent: what stood on the page stays on it beside what was judged.
        standing = shown.values_list("pk", flat=True)
        shown = hits.filter(pk__in={*standing, *hit_ids(data)[:HITS_SHOWN]})
    return WorkForm(data, review=found, items=found.items.all(), findings=found.findings.all(), hits=shown)


def _page(
    request: HttpRequest, filtered: Filter, found: Review | None, *, view: str, form: WorkForm | None = None
) -> HttpResponse:
    now, user = timezone.now(), cast(User, request.user)
    listed = list(filtered.reviews[: LONGEST_LIST + 1])
    context: dict[str, object] = {
        "filter": filtered.form,
        "chosen": filtered.form.chosen(),
        "query": filtered.query,
        "rows": [(row, *_due(row, now)) for row in listed[:LONGEST_LIST]],
        "more": len(listed) > LONGEST_LIST,
        "figures": selectors.figures(user, now),
        "view": view,
        "review": found,
    }
    if found:
        context |= _work_context(user, found, form or _work_form(request, found))
        context["due"], context["due_kind"] = _due(found, now)
    return render(request, "compliance/queue.html", context)


def _due(review: Review, now: datetime) -> tuple[str, str | None]:
    """The due time in words and the kind of its tag; nothing for a closed review."""
    return due_label(review.due_at, now) if review.state in LIVE else ("", None)


def _work_context(user: User, found: Review, form: WorkForm) -> Mapping[str, object]:
    acts, handler = acts_for(user, found), handler_of(found.kind)
    claimed = Act.WORK in acts
    clearance = clearance_for_screening(user, found.screening, timezone.now()) if claimed and found.screening else None
    hits = excerpts_of(form.hits, clearance)
    return {
        "form": form,
        "acts": acts,
        "claimed": claimed,
        "clearance": clearance,
        # What was typed is never thrown away, not even when the claim is gone.
        "editing": claimed or form.is_bound,
        "live": found.state in LIVE,
        "digest": bytes(found.digest).hex(),
        "hits": [(hit, excerpt, form[f"hit-{hit.pk}"]) for hit, excerpt in hits],
        "hits_total": found.screening.hits.count() if found.screening else 0,
        "hits_open": selectors.open_hits(found),
        "findings": found.findings.select_related("item"),
        "summary": handler.summary(found) if handler else None,
        "link": handler.link(found) if handler else "",
        "obstacle": why_not_approve(found) if claimed else "",
        "entries": entries_of("review", found.pk, 20),
    }
