"""What follows the certificate: acceptance, the seller's copy, the buyer's first tasks, the end."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.permissions import is_lead
from accounts.selectors import organizations_of
from accounts.stepup import fresh_factor_required
from compliance import law
from customers.models import Category
from handover.after_workflow import TaskKind
from handover.content import proven_execution
from handover.disposition_certificate import backups_until
from handover.disposition_sheet import disposition_sheet
from handover.errors import HandoverError
from handover.forms.after import DoneForm, GiveBackForm, OwnerForm
from handover.gates import gates_of
from handover.legal import obligations_of
from handover.models import Acceptance, Disposition, Handover, OnboardingTask
from handover.pdf import disposition_pdf_of
from handover.services import accepting, closing, disposing, matching, onboarding
from handover.signatures import signatures_of
from handover.trained import training_of
from handover.views.certificate import download
from handover.views.pages import board_of, user_of, visible
from handover.workflow import HandoverState
from jobs.selectors import jobs_visible_to
from ledger.selectors import entries_of

_SHOWN = 10


@require_safe
@login_required
def page(request: HttpRequest, handover_id: UUID) -> HttpResponse:
    """Where a certified handover stands and who must do what until it is closed."""
    return _page(request, _certified(request, handover_id))


def _page(request: HttpRequest, handover: Handover, form: forms.Form | None = None, task: str = "") -> HttpResponse:
    user, live = user_of(request), handover.state == HandoverState.CERTIFIED
    acceptance = Acceptance.objects.select_related("accepted_by", "asked_by").get(handover=handover)
    leads = {side: live and is_lead(user, getattr(handover, f"{side}_id")) for side in ("seller", "buyer")}
    disposition = Disposition.objects.filter(handover=handover).select_related("started_by", "target").first()
    context = {
        "handover": handover,
        "board": board_of(request, handover),
        "gates": gates_of(board_of(request, handover)),
        "acceptance": acceptance,
        "rolled_back": handover.state == HandoverState.ROLLED_BACK,
        "left": (acceptance.until - timezone.localdate()).days,
        "leads": leads,
        "disposition": disposition,
        "disposed": closing.is_disposed(handover),
        "counts": _counts(disposition),
        "crossed": _crossed(handover),
        "backups_until": backups_until(disposition, timezone.now()) if disposition else None,
        "job": _job(request, disposition),
        "matching": matching.found_by(handover, user),
        "signatures": signatures_of(handover, user),
        "tasks": _tasks(request, handover, form, task),
        "waits": closing.waits_for(handover) if live else [],
        "kept": law.keeping(obligations_of(handover)),
        "entries": entries_of("handover", handover.pk, _SHOWN),
    }
    return render(request, "handover/after.html", context, status=422 if form is not None else 200)


def _certified(request: HttpRequest, handover_id: UUID) -> Handover:
    handover = visible(request, handover_id)
    if not Acceptance.objects.filter(handover=handover).exists():
        raise Http404
    return handover


def _crossed(handover: Handover) -> int:
    execution = proven_execution(handover)
    return execution.reconciliation.counts[Category.BASIC]["sent"] if execution else 0


def _counts(disposition: Disposition | None) -> dict[str, int]:
    found = disposition.counts if disposition else {}
    keys = sum(number for name, number in found.items() if name.endswith("_keys"))
    return {"customers": found.get("customers", 0), "keys": keys}


def _job(request: HttpRequest, disposition: Disposition | None) -> object:
    if disposition is None or disposition.job is None or disposition.state != "running":
        return None
    user = user_of(request)
    return (
        jobs_visible_to(organizations_of(user), everything=user.is_staff)
        .filter(pk=disposition.job_id or disposition.pk)
        .first()
    )


def _tasks(request: HttpRequest, handover: Handover, bad: forms.Form | None, task: str) -> list[dict[str, object]]:
    found = OnboardingTask.objects.filter(handover=handover).select_related("owner", "done_by")
    order = list(dict(OnboardingTask._meta.get_field("kind").choices or ()))
    user, live = user_of(request), handover.state == HandoverState.CERTIFIED
    lines: list[dict[str, object]] = []
    for one in sorted(found, key=lambda item: order.index(item.kind)):
        one.handover = handover
        waits = live and one.done_at is None
        owner = OwnerForm(task=one, initial={"owner": one.owner_id}, auto_id=f"id_{one.kind}_%s")
        note = DoneForm(auto_id=f"id_{one.kind}_%s")
        if bad is not None and task == one.kind:
            owner, note = (bad, note) if isinstance(bad, OwnerForm) else (owner, bad)  # type: ignore[assignment]
        lines.append(
            {
                "task": one,
                "course": training_of(handover) if one.kind == TaskKind.TRAIN else None,
                "late": waits and one.due_on < timezone.localdate(),
                "give": owner if waits and is_lead(user, handover.buyer_id) else None,
                "finish": note if waits and onboarding.may_finish(user, one) else None,
            }
        )
    return lines


Act = Callable[[Handover, datetime], object]


def _act(request: HttpRequest, handover_id: UUID, act: Act, said: str) -> HttpResponse:
    handover, now = _certified(request, handover_id), timezone.now()
    try:
        act(handover, now)
    except HandoverError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, said)
        closing.close_if_done(handover=handover, now=now)
    return redirect("handover:after", handover_id)


@require_POST
@login_required
@fresh_factor_required
def accept(request: HttpRequest, handover_id: UUID) -> HttpResponse:
    """The buyer keeps what arrived."""
    actor = user_of(request)
    return _act(
        request,
        handover_id,
        lambda handover, now: accepting.accept(actor=actor, handover=handover, now=now),
        _("It is accepted. The seller now does what the plan says with its copy."),
    )


@require_POST
@login_required
@fresh_factor_required
def dispose(request: HttpRequest, handover_id: UUID) -> HttpResponse:
    """The seller's copy becomes what the plan says."""
    actor = user_of(request)
    return _act(
        request,
        handover_id,
        lambda handover, now: disposing.begin(actor=actor, handover=handover, now=now),
        _("It has begun. You may leave this page."),
    )


@login_required
@fresh_factor_required
@require_http_methods(["GET", "HEAD", "POST"])
def rollback(request: HttpRequest, handover_id: UUID) -> HttpResponse:
    """The buyer gives everything back; the seller asks for it."""
    handover, user = _certified(request, handover_id), user_of(request)
    acceptance = Acceptance.objects.select_related("asked_by").get(handover=handover)
    buys = is_lead(user, handover.buyer_id)
    form = GiveBackForm(request.POST if request.method == "POST" else None, asked=buys and bool(acceptance.asked_at))
    if form.is_valid():
        act = accepting.roll_back if buys else accepting.ask_back
        try:
            act(actor=user, handover=handover, reason=form.cleaned_data["reason"], now=timezone.now())
        except HandoverError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Everything is given back.") if buys else _("The buyer is asked."))
            return redirect("handover:after", handover_id)
    context = {"handover": handover, "form": form, "buys": buys, "acceptance": acceptance}
    return render(request, "handover/after_rollback.html", context, status=422 if form.errors else 200)


@require_POST
@login_required
def task(request: HttpRequest, handover_id: UUID, kind: str) -> HttpResponse:
    """Who takes care of a first task of the buyer, or what was done."""
    handover, actor, now = _certified(request, handover_id), user_of(request), timezone.now()
    found = get_object_or_404(OnboardingTask, handover=handover, kind=kind)
    found.handover = handover
    gives = "owner" in request.POST
    auto = f"id_{kind}_%s"
    form = OwnerForm(request.POST, task=found, auto_id=auto) if gives else DoneForm(request.POST, auto_id=auto)
    if not form.is_valid():
        return _page(request, handover, form, kind)
    try:
        if gives:
            onboarding.assign(actor=actor, task=found, owner=form.cleaned_data["owner"], now=now)
        else:
            onboarding.finish(actor=actor, task=found, note=form.cleaned_data["note"], now=now)
            closing.close_if_done(handover=handover, now=now)
    except HandoverError as error:
        form.add_error(None, str(error))
        return _page(request, _certified(request, handover_id), form, kind)
    return redirect("handover:after", handover_id)


@require_safe
@login_required
def disposition(request: HttpRequest, handover_id: UUID) -> HttpResponse:
    """The certificate of the seller's copy, to read and to print."""
    found = _disposed(request, handover_id)
    context = {
        "handover": found.handover,
        "sheet": disposition_sheet(found),
        "offset": timezone.localtime(found.done_at).isoformat()[-6:],
        "name": _name(found.handover, "json"),
    }
    return render(request, "handover/after_certificate.html", context)


@require_safe
@login_required
def disposition_json(request: HttpRequest, handover_id: UUID) -> HttpResponse:
    """The signed file, byte for byte."""
    found = _disposed(request, handover_id)
    return download(found.document.encode(), "application/json", _name(found.handover, "json"))


@require_safe
@login_required
def disposition_pdf(request: HttpRequest, handover_id: UUID) -> HttpResponse:
    """The same sheet as PDF, the same bytes whenever it is asked for."""
    found = _disposed(request, handover_id)
    assert found.done_at is not None  # noqa: S101  # narrows the type
    made = disposition_pdf_of(disposition_sheet(found), _name(found.handover, "json"), found.done_at)
    return download(made, "application/pdf", _name(found.handover, "pdf"))


def _disposed(request: HttpRequest, handover_id: UUID) -> Disposition:
    handover = visible(request, handover_id)
    found = get_object_or_404(Disposition, handover=handover, done_at__isnull=False)
    found.handover = handover
    return found


def _name(handover: Handover, ending: str) -> str:
    return f"{handover.reference}-sellers-copy.{ending}"
