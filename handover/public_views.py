"""The page that a customer opens by the link in a notice: no account, no cookie, one purpose."""

from datetime import datetime
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from accounts.limits import spend
from customers.errors import CustomersError
from customers.held import held_of
from customers.models import Customer, SubjectRequest
from handover.errors import HandoverError
from handover.forms.notices import AnswerForm, RequestForm
from handover.models import Addressee, Notice
from handover.notice_content import LANGUAGES, told
from handover.notice_messages import LINK
from handover.notice_workflow import ANSWERS, LINKED, Choice
from handover.services import answering
from handover.services.notices import by_id
from handover.workflow import HandoverState
from tenancy import rights
from vault import links

_ENDED = frozenset({HandoverState.STOPPED, HandoverState.ROLLED_BACK})


@csrf_exempt  # the address itself is the secret: who does not have it can forge no request to it
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def notice(request: HttpRequest, token: str) -> HttpResponse:
    """What is held, who gets it and why; only a POST answers, because programs open links in mails by themselves."""
    now, subject = timezone.now(), links.subject_of(token)
    seller = _seller_of(subject, token) if subject else None
    if subject is None or seller is None:
        spend(request, "notice_link", now)
        return _unknown(request)
    # The link is the right to it: exactly the rows of the organization that made it.
    with rights.acting_for([seller]):
        row = Addressee.objects.get(pk=subject)
        found = by_id(row.notice_id)
        if found.state not in LINKED or (_is_over(found, now) and not _only_says_it_ended(request, found)):
            return _unknown(request)
        language = _language(request, row)
        with override(language):
            return _answered(request, row, found, language, now)


def _is_over(found: Notice, now: datetime) -> bool:
    return timezone.localdate(now) > answering.link_until(found)


def _only_says_it_ended(request: HttpRequest, found: Notice) -> bool:
    """That nothing goes, or was given back, customers hear whenever they look; they can do nothing there any more."""
    return found.handover.state in _ENDED and request.method != "POST"


def _seller_of(subject: UUID, token: str) -> UUID | None:
    """Whose link it is, if that organization made it. One column is read before it is proven."""
    with rights.everything():
        rows = Addressee.objects.filter(pk=subject)
        seller = rows.values_list("notice__handover__seller", flat=True).first()
    return seller if seller is not None and links.is_genuine(seller, LINK, token) else None


def _language(request: HttpRequest, row: Addressee) -> str:
    chosen = request.GET.get("lang", "")
    return chosen if chosen in LANGUAGES else row.language


def _answered(request: HttpRequest, row: Addressee, found: Notice, language: str, now: datetime) -> HttpResponse:
    bad, asks = request.method == "POST", "kind" in request.POST or "text" in request.POST
    answers = AnswerForm(request.POST if bad and not asks else None)
    asked = RequestForm(request.POST if asks else None)
    if bad:
        spend(request, "notice_answer", now, subject=str(row.pk))
        try:
            if _stored(row, answers, asked, now):
                return redirect(f"{request.path}?lang={language}&done={'answer' if answers.is_bound else 'request'}")
        except (HandoverError, CustomersError) as error:
            (answers if answers.is_bound else asked).add_error(None, str(error))
        row.refresh_from_db()
    return _page(request, row, found, language, now, answers=answers, asked=asked, status=422 if bad else 200)


def _stored(row: Addressee, answers: AnswerForm, asked: RequestForm, now: datetime) -> bool:
    if answers.is_bound and answers.is_valid():
        answering.answer(addressee_id=row.pk, choice=answers.cleaned_data["answer"], now=now)
        return True
    if asked.is_bound and asked.is_valid():
        answering.ask(addressee_id=row.pk, now=now, **asked.cleaned_data)
        return True
    return False


def _page(
    request: HttpRequest,
    row: Addressee,
    found: Notice,
    language: str,
    now: datetime,
    *,
    answers: AnswerForm,
    asked: RequestForm,
    status: int,
) -> HttpResponse:
    over = _is_over(found, now)
    customer = None if over else Customer.objects.filter(pk=row.customer).first()
    context = {
        "told": told(found, language),
        "row": row,
        "held": held_of(customer) if customer else [],
        "until": None if over else answering.link_until(found),
        "open": answering.is_open(found, now),
        "given_back": found.handover.state == HandoverState.ROLLED_BACK,
        "stopped": found.handover.state in _ENDED,
        "choices": [Choice(one) for one in ANSWERS[found.handover.plan.asks_consent]],
        "requests": _requests(customer),
        "answers": answers,
        "asked": asked,
        "language": language,
        "done": request.GET.get("done", ""),
    }
    return _sent(request, "handover/notice_public.html", context, status)


def _requests(customer: Customer | None) -> list[SubjectRequest]:
    if customer is None:
        return []
    # What was written and answered is not shown: the link may be read by others.
    return list(SubjectRequest.objects.filter(customer=customer).order_by("-opened_at")[:10])


def _unknown(request: HttpRequest) -> HttpResponse:
    """Wrong, made up and withdrawn look alike, in both languages."""
    texts = []
    for language in LANGUAGES:
        with override(language):
            title = _("This link leads nowhere")
            words = _("It may be incomplete, or it was taken back. Open it from the message, or ask who sent it.")
            texts.append({"language": language, "title": title, "words": words})
    return _sent(request, "handover/notice_unknown.html", {"texts": texts}, 404)


def _sent(request: HttpRequest, template: str, context: dict[str, object], status: int) -> HttpResponse:
    # No token against forged requests: making one would set a cookie.
    response = render(request, template, {**context, "csrf_token": ""}, status=status)
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    return response
