"""Requests of the customers of a book: the list by their days, and one of them, read for an answer."""

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.limits import spend
from accounts.models import User
from accounts.stepup import fresh_factor_required
from customers import selectors
from customers.access import access_to
from customers.errors import CustomersError
from customers.models import SubjectRequest
from customers.request_forms import CloseRequestForm
from customers.services import requests
from customers.workflow import RequestState

_PER_PAGE = 50


@login_required
@require_safe
def request_list(request: HttpRequest, book_id: UUID) -> HttpResponse:
    """The open ones, the most urgent first; then what was answered."""
    book = get_object_or_404(selectors.books_visible_to(_user(request)), pk=book_id)
    shown = request.GET.get("state", RequestState.OPEN)
    rows = SubjectRequest.objects.filter(book=book)
    rows = rows.filter(state=RequestState.OPEN) if shown != "all" else rows
    page = Paginator(rows.order_by("due_on", "pk"), _PER_PAGE).get_page(request.GET.get("page"))
    context = {"book": book, "rows": page, "shown": shown, "today": timezone.localdate()}
    return render(request, "customers/requests.html", context)


@login_required
@never_cache
@require_safe
def show(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """What is asked and until when; the customer's words stay closed."""
    return _page(request, _found(request, request_id))


@require_POST
@login_required
@never_cache
@fresh_factor_required
def read(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """The same with the customer's words, in this answer only."""
    item = _found(request, request_id)
    spend(request, "reveal", timezone.now())
    try:
        text = requests.read(actor=_user(request), item=item, now=timezone.now())
    except CustomersError as error:
        messages.error(request, str(error))
        return redirect("customers:request", request_id)
    return _page(request, item, text=text, opened=True)


@require_POST
@login_required
@fresh_factor_required
def close(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Answer it in words."""
    item, form = _found(request, request_id), CloseRequestForm(request.POST)
    if form.is_valid():
        try:
            requests.close(actor=_user(request), item=item, now=timezone.now(), **form.cleaned_data)
        except CustomersError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("The answer is kept. Tell the customer by the way that they chose."))
            return redirect("customers:requests", item.book_id)
    return _page(request, item, form=form)


def _page(
    request: HttpRequest,
    item: SubjectRequest,
    *,
    form: CloseRequestForm | None = None,
    text: str = "",
    opened: bool = False,
) -> HttpResponse:
    context = {
        "item": item,
        "book": item.book,
        # The law of where the customer lives and of where the answer comes from.
        "countries": [item.customer.jurisdiction, item.book.organization.country],
        "form": form or CloseRequestForm(),
        "text": text,
        "opened_at": timezone.localtime() if opened else None,
        "access": access_to(_user(request), item.book, timezone.now()),
        "late": item.state == RequestState.OPEN and item.due_on < timezone.localdate(),
    }
    return render(request, "customers/request.html", context, status=422 if form and form.errors else 200)


def _visible(request: HttpRequest) -> QuerySet[SubjectRequest]:
    books = selectors.books_visible_to(_user(request))
    return SubjectRequest.objects.filter(book__in=books).select_related("book__organization", "customer", "answered_by")


def _found(request: HttpRequest, request_id: UUID) -> SubjectRequest:
    return get_object_or_404(_visible(request), pk=request_id)


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)
