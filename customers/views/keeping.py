"""Holds of a book and of a customer, and a customer's consents."""

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import User
from accounts.stepup import fresh_factor_required
from customers import selectors
from customers.access import access_to
from customers.errors import CustomersError
from customers.holds import holds_of, holds_on
from customers.keeping_forms import ConsentForm, HoldForm, WithdrawForm
from customers.masked import listed
from customers.models import Book, Consent, Customer, Hold
from customers.permissions import may_hold, may_record_consents
from customers.services import consents
from customers.services.holding import place_hold, release_hold

_SHOWN = 200


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def book_holds(request: HttpRequest, book_id: UUID) -> HttpResponse:
    """What is held in a book; a lead holds the whole book."""
    book = get_object_or_404(selectors.books_visible_to(_user(request)), pk=book_id)
    form = HoldForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and _placed(request, form, book, None):
        return redirect("customers:book_holds", book.pk)
    found = list(holds_on(book, timezone.localdate())[:_SHOWN])
    people = [hold.customer for hold in found if hold.customer is not None]
    rows = {row.pk: row for row in listed(people, book, access_to(_user(request), book, timezone.now()))}
    lines = [(hold, rows.get(hold.customer_id) if hold.customer_id else None) for hold in found]
    return _holds(request, form, {"book": book, "lines": lines, "cut": len(found) == _SHOWN})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def customer_holds(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """What holds one customer; a lead places another hold."""
    customer = _customer(request, customer_id)
    form = HoldForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and _placed(request, form, customer.book, customer):
        return redirect("customers:customer_holds", customer.pk)
    lines = [(hold, None) for hold in holds_of(customer, timezone.localdate())]
    return _holds(request, form, {"book": customer.book, "customer": customer, "lines": lines})


@require_POST
@login_required
@fresh_factor_required
def release(request: HttpRequest, hold_id: UUID) -> HttpResponse:
    """What it kept may be destroyed from now on."""
    books = selectors.books_visible_to(_user(request))
    hold = get_object_or_404(Hold.objects.filter(book__in=books).select_related("book"), pk=hold_id)
    try:
        release_hold(actor=_user(request), hold=hold, now=timezone.now())
    except CustomersError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The hold is released. Rules and last days count again from the coming night."))
    if hold.customer_id:
        return redirect("customers:customer_holds", hold.customer_id)
    return redirect("customers:book_holds", hold.book_id)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def customer_consents(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """What a customer agreed to and took back; staff record another one."""
    customer = _customer(request, customer_id)
    form = ConsentForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            consents.give(actor=_user(request), customer=customer, now=timezone.now(), **form.cleaned_data)
        except CustomersError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("The consent is kept."))
            return redirect("customers:customer_consents", customer.pk)
    return _consents(request, customer, form)


@require_POST
@login_required
def withdraw(request: HttpRequest, consent_id: UUID) -> HttpResponse:
    """Keep that the customer took it back."""
    visible = selectors.customers_visible_to(_user(request))
    consent = get_object_or_404(Consent.objects.filter(customer__in=visible).select_related("customer"), pk=consent_id)
    form = WithdrawForm(request.POST)
    if form.is_valid():
        try:
            consents.withdraw(actor=_user(request), consent=consent, now=timezone.now(), **form.cleaned_data)
        except CustomersError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("It is kept that the customer took this consent back."))
            return redirect("customers:customer_consents", consent.customer_id)
    return _consents(request, _customer(request, consent.customer_id), ConsentForm(), consent, form)


def _placed(request: HttpRequest, form: HoldForm, book: Book, customer: Customer | None) -> bool:
    try:
        place_hold(actor=_user(request), book=book, customer=customer, now=timezone.now(), **form.cleaned_data)
    except CustomersError as error:
        form.add_error(None, str(error))
        return False
    messages.success(
        request, _("It is held: nothing of it is destroyed until the hold is released or its last day is over.")
    )
    return True


def _holds(request: HttpRequest, form: HoldForm, context: dict[str, object]) -> HttpResponse:
    may = may_hold(_user(request), cast(Book, context["book"]))
    status = 422 if form.errors else 200
    return render(request, "customers/holds.html", {**context, "form": form, "may_hold": may}, status=status)


def _consents(
    request: HttpRequest,
    customer: Customer,
    form: ConsentForm,
    refused: Consent | None = None,
    refusal: WithdrawForm | None = None,
) -> HttpResponse:
    """`refused`: the consent whose withdrawal was typed wrong, with what was typed."""
    found = customer.consents.select_related("recorded_by").order_by("-given_at", "pk")
    context = {
        "customer": customer,
        "book": customer.book,
        "lines": [(one, refusal if refused and one.pk == refused.pk else _empty(one)) for one in found],
        "form": form,
        "refusal": refusal,
        "may_record": may_record_consents(_user(request), customer.book),
    }
    bad = bool(form.errors or (refusal and refusal.errors))
    return render(request, "customers/consents.html", context, status=422 if bad else 200)


def _empty(consent: Consent) -> WithdrawForm:
    return WithdrawForm(auto_id=f"id_{consent.pk}_%s")


def _customer(request: HttpRequest, customer_id: UUID) -> Customer:
    return get_object_or_404(selectors.customers_visible_to(_user(request)), pk=customer_id)


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)
