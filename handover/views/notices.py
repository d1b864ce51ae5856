"""Customers' notice: the seller writes, approves, sends and follows it; the other sides read text and numbers."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Page, Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.limits import spend
from accounts.permissions import is_member
from accounts.stepup import fresh_factor_required
from customers.access import access_to
from customers.errors import CustomersError
from customers.masked import Listed, listed
from customers.models import Customer
from handover.clearance import clearance_on
from handover.errors import HandoverError
from handover.forms.confirming import ApproveForm
from handover.forms.notices import AnnounceForm, AnswerForm, NoticeForm, SettleForm, initial_of
from handover.models import Addressee, Handover, Notice
from handover.notice_content import LANGUAGES, reach_of, suggested, told
from handover.notice_workflow import ANSWERS, Channel, Choice, MessageState, NoticeState, find_move
from handover.services import answering, holding_out, notices, sending
from handover.services import letters as exporting
from handover.staying import Reason
from handover.views.backup import watchable
from handover.views.pages import user_of, visible
from ledger.selectors import entries_of

_PER_PAGE = 25
_FILTERS = ("waiting", "sent", "failed", "unclear", "bounced", "undeliverable", "objected", "consented", "declined")
_STAYS = "stays"


@dataclass(frozen=True, slots=True)
class Line:
    """One addressee with the masked customer, and why they stay; `customer` None: the seller's copy is gone."""

    row: Addressee
    customer: Listed | None
    reason: str | Promise


@require_safe
@login_required
def page(request: HttpRequest, handover_id: UUID) -> HttpResponse:
    """The notice as it stands, what it waits for, how it was sent and answered."""
    handover, now = visible(request, handover_id), timezone.now()
    if not holding_out.is_told_here(handover):
        raise Http404
    versions = notices.versions_of(handover)
    notice = holding_out.live_notice(handover)
    context = {
        "handover": handover,
        "notice": notice,
        "versions": versions,
        "obstacle": holding_out.obstacle(handover, now),
        "held_out": holding_out.held_out(handover) if is_member(user_of(request), handover.seller_id) else None,
        "entries": [one for one in entries_of("handover", handover.pk, 200) if ".notice." in one.verb][:10],
        **(_facts(request, handover, notice, now) if notice else {"may": _may(request, handover, None, now)}),
    }
    return render(request, "handover/notices.html", context)


def _facts(request: HttpRequest, handover: Handover, notice: Notice, now: datetime) -> dict[str, object]:
    notice.handover = handover
    language = request.GET.get("lang", "")
    language = language if language in LANGUAGES else str(get_language())
    language = language if language in LANGUAGES else "en"
    with override(language):
        read = told(notice, language)
    user, seller = user_of(request), is_member(user_of(request), handover.seller_id)
    rows = _rows(request, notice) if seller else None
    return {
        "told": read,
        "language": language,
        "digest": bytes(notice.digest).hex(),
        "may": _may(request, handover, notice, now),
        "seller": seller,
        "clearance": clearance_on(user, handover, now) if seller else None,
        "jobs": watchable(user, [notice.job_id]) if notice.state == NoticeState.SENDING else [],
        "counts": _counts(notice),
        "answers": [(Choice(name).label, number) for name, number in sending.answers_of(notice).items()],
        "left": sending.left(notice) if seller else 0,
        "choices": [(one.value, one.label) for one in ANSWERS[handover.plan.asks_consent]],
        "rows": rows,
        "lines": _lines(request, notice, rows, now) if rows else [],
        "filters": [(_STAYS, _("Who stays")), *((name, _label(name)) for name in _FILTERS)],
        "chosen": request.GET.get("state", ""),
        "letters": notice.addressees.filter(channel=Channel.POST, state=MessageState.WAITING).count(),
        "announce": AnnounceForm(),
    }


def _label(name: str) -> str | Promise:
    return MessageState(name).label if name in MessageState.values else Choice(name).label


def _counts(notice: Notice) -> list[tuple[str | Promise, list[tuple[str | Promise, int]]]]:
    return [
        (
            Channel(channel).label if channel else _("Not sent yet"),
            [(MessageState(state).label, number) for state, number in states.items()],
        )
        for channel, states in sending.counts_of(notice)
    ]


def _rows(request: HttpRequest, notice: Notice) -> Page[Addressee]:
    rows = notice.addressees.order_by("pk")
    chosen = request.GET.get("state", "")
    if chosen == _STAYS:
        rows = holding_out.stays(notice).order_by("pk")
    elif chosen in MessageState.values:
        rows = rows.filter(state=chosen)
    elif chosen in {Choice.OBJECTED, Choice.CONSENTED, Choice.DECLINED}:
        rows = rows.filter(answer=chosen)
    return Paginator(rows, _PER_PAGE).get_page(request.GET.get("page"))


def _lines(request: HttpRequest, notice: Notice, rows: Page[Addressee], now: datetime) -> list[Line]:
    handover, ids = notice.handover, [row.customer for row in rows]
    customers = list(Customer.objects.filter(book=handover.book_id, pk__in=ids))
    shown = listed(customers, handover.book, access_to(user_of(request), handover.book, now))
    by_id = {one.pk: one for one in shown}
    found = holding_out.with_reasons(notice).filter(pk__in=[row.pk for row in rows])
    why = dict(found.values_list("pk", "reason"))
    return [Line(row, by_id.get(row.customer), Reason(why[row.pk]).label if why[row.pk] else "") for row in rows]


def _may(request: HttpRequest, handover: Handover, notice: Notice | None, now: datetime) -> dict[str, bool]:
    """What the reader may do with the notice as it stands; the services say the same."""
    user, state = user_of(request), NoticeState(notice.state) if notice else None
    names = ("write", "approve", "send", "withdraw")
    fits = {name: notices.may(user, handover, name) for name in names}
    for name in names:
        fits[name] &= state in find_move(name).before if state else name == "write"
    fits["approve"] &= notice is not None and notice.author_id != user.pk
    fits["settle"] = state in {NoticeState.OPEN, NoticeState.CLOSED} and notices.may(user, handover, "send")
    fits["announce"] = state is NoticeState.OPEN and notices.may(user, handover, "send")
    return fits


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def write(request: HttpRequest, handover_id: UUID) -> HttpResponse:
    """The form of the notice: in both languages, begun with what the gates agreed."""
    handover, notice = visible(request, handover_id), None
    if not holding_out.is_told_here(handover) or not is_member(user_of(request), handover.seller_id):
        raise Http404
    notice = holding_out.live_notice(handover)
    form = NoticeForm(request.POST if request.method == "POST" else None, initial=_initial(handover, notice))
    if form.is_valid():
        given = form.cleaned_data
        try:
            notices.write(
                actor=user_of(request),
                handover=handover,
                texts=form.texts,
                reach=given["reach"],
                answer_until=given["answer_until"],
                seen=bytes.fromhex(given["seen"]),
                now=timezone.now(),
            )
        except HandoverError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Saved. A lead of the seller who did not write it reads and approves it now."))
            return redirect("handover:notices", handover_id)
    context = {"handover": handover, "form": form, "notice": notice}
    return render(request, "handover/notice_write.html", context, status=422 if form.errors else 200)


def _initial(handover: Handover, notice: Notice | None) -> dict[str, object]:
    if notice is not None:
        return initial_of(notice.texts, notice.reach, notice.answer_until, bytes(notice.digest).hex())
    return initial_of(suggested(handover), reach_of(handover.seller), handover.plan.answer_until, "")


@require_POST
@login_required
@fresh_factor_required
def approve(request: HttpRequest, handover_id: UUID) -> HttpResponse:
    """Say yes to exactly the text that was on the page."""
    return _act(request, handover_id, notices.approve, _("Approved. A lead of the seller can send it now."))


@require_POST
@login_required
@fresh_factor_required
def send(request: HttpRequest, handover_id: UUID) -> HttpResponse:
    """Tell every customer who was not told yet."""

    def begin(*, actor: object, notice: Notice, digest: bytes, now: datetime) -> object:
        site = request.build_absolute_uri("/")
        return sending.send(actor=user_of(request), notice=notice, digest=digest, site=site, now=now)

    return _act(request, handover_id, begin, _("The notice is being sent."))


def _act(request: HttpRequest, handover_id: UUID, service: Callable[..., object], said: str) -> HttpResponse:
    """One act on the notice that was on the page, by its digest."""
    handover, form = visible(request, handover_id), ApproveForm(request.POST)
    notice = _live(handover)
    digest = bytes.fromhex(form.cleaned_data["digest"]) if form.is_valid() else b""
    try:
        service(actor=user_of(request), notice=notice, digest=digest, now=timezone.now())
    except HandoverError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, said)
    return redirect("handover:notices", handover_id)


def _live(handover: Handover) -> Notice:
    notice = holding_out.live_notice(handover)
    if notice is None:
        raise Http404
    notice.handover = handover
    return notice


@require_POST
@login_required
@fresh_factor_required
def withdraw(request: HttpRequest, handover_id: UUID) -> HttpResponse:
    """Take the notice back."""
    notice = _live(visible(request, handover_id))
    try:
        notices.withdraw(actor=user_of(request), notice=notice, now=timezone.now())
    except HandoverError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The notice is withdrawn. Its links lead nowhere now."))
    return redirect("handover:notices", handover_id)


@require_POST
@login_required
@fresh_factor_required
def announce(request: HttpRequest, handover_id: UUID) -> HttpResponse:
    """Keep where and when the notice was published for everybody."""
    notice, form = _live(visible(request, handover_id)), AnnounceForm(request.POST)
    if not form.is_valid():
        messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
        return redirect("handover:notices", handover_id)
    try:
        notices.announce(actor=user_of(request), notice=notice, now=timezone.now(), **form.cleaned_data)
    except HandoverError as error:
        messages.error(request, str(error))
    return redirect("handover:notices", handover_id)


@require_POST
@login_required
def settle(request: HttpRequest, addressee_id: UUID) -> HttpResponse:
    """Say what became of one message."""
    row, form = _row(request, addressee_id), SettleForm(request.POST)
    given = form.cleaned_data if form.is_valid() else {"state": "", "channel": ""}
    try:
        sending.settle(actor=user_of(request), addressee=row, now=timezone.now(), **given)
    except HandoverError as error:
        messages.error(request, str(error))
    return redirect("handover:notices", row.notice.handover_id)


def _row(request: HttpRequest, addressee_id: UUID) -> Addressee:
    """An addressee for people of its seller; 404 for everybody else."""
    row = get_object_or_404(Addressee.objects.select_related("notice__handover"), pk=addressee_id)
    if not is_member(user_of(request), row.notice.handover.seller_id):
        raise Http404
    return row


@require_POST
@login_required
def answer(request: HttpRequest, addressee_id: UUID) -> HttpResponse:
    """Keep what a customer told the seller by another way than the link."""
    row, form = _row(request, addressee_id), AnswerForm(request.POST)
    choice = form.cleaned_data["answer"] if form.is_valid() else ""
    try:
        answering.answer_for(actor=user_of(request), addressee=row, choice=choice, now=timezone.now())
    except HandoverError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The answer is kept, with your name in the ledger."))
    return redirect("handover:notices", row.notice.handover_id)


@require_POST
@login_required
@fresh_factor_required
def letters(request: HttpRequest, handover_id: UUID) -> HttpResponseBase:
    """The letters that wait as a file, for a purpose."""
    notice, now = _live(visible(request, handover_id)), timezone.now()
    spend(request, "export", now)
    try:
        lines = exporting.export(
            actor=user_of(request), notice=notice, purpose=request.POST.get("purpose", ""), now=now
        )
    except (HandoverError, CustomersError) as error:
        messages.error(request, str(error))
        return redirect("handover:notices", handover_id)
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    name = f"letters-{notice.handover.reference}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@require_safe
@login_required
def announcement(request: HttpRequest, handover_id: UUID) -> HttpResponse:
    """The notice as a sheet to print or publish, in both languages."""
    handover = visible(request, handover_id)
    notice, read = _live(handover), []
    for language in LANGUAGES:
        with override(language):
            read.append((language, render_to_string("handover/notice_text.html", {"told": told(notice, language)})))
    titles = {language: notice.texts.get(language, {}).get("title", "") for language in LANGUAGES}
    pages = [(language, titles[language], text) for language, text in read]
    context = {"handover": handover, "notice": notice, "pages": pages, "consent": handover.plan.asks_consent}
    return render(request, "handover/notice_announcement.html", context)
