"""The page of one customer: three categories, masked; one of them opened for a purpose, in that response only."""

from typing import NamedTuple, cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts import stepup
from accounts.countries import country_name
from accounts.limits import LimitError, refused, spend
from accounts.models import User
from customers import selectors
from customers.access import access_to
from customers.errors import CustomersError
from customers.fields import FIELDS, LABELS
from customers.forms import RevealForm
from customers.holds import holds_of
from customers.masked import Panel, SealState, panels
from customers.models import Category, Customer
from customers.opening import Row
from customers.services.revealing import record_burst, reveal
from ledger.selectors import entries_of

_LATEST = 20


class Shown(NamedTuple):
    """A category on the page. `rows`: its opened rows, None while it is masked."""

    panel: Panel
    form: RevealForm
    labels: list[str | Promise]
    rows: list[Row] | None

    @property
    def cells(self) -> list[list[tuple[str | Promise, str]]]:
        """The opened rows, each value with its label; a time reads without the letter of ISO 8601."""
        rows = self.rows or []
        if self.panel.category == Category.PURCHASES:
            rows = [(row[0].replace("T", " "), *row[1:]) for row in rows]
        return [list(zip(self.labels, row, strict=True)) for row in rows]


@login_required
@require_safe
def show(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """Everything masked."""
    return _page(request, _visible(request, customer_id))


@login_required
@stepup.asks_itself
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def open_category(request: HttpRequest, customer_id: UUID, category: str) -> HttpResponse:
    """The same page with one category opened, once: nothing is kept to show it again. A GET leads back to the masks:
    this address stays in the browser after the answer to the form."""
    if category not in Category.values:
        raise Http404
    customer = _visible(request, customer_id)
    if request.method != "POST":
        return redirect("customers:customer", customer.pk)
    form, rows = RevealForm(request.POST, category=category), None
    if stepup.is_wanted(request):
        messages.warning(request, stepup.proof_link(request))
    elif form.is_valid():
        try:
            spend(request, "reveal", timezone.now())
            rows = _revealed(request, customer, category, form)
        except LimitError as error:
            record_burst(actor=_user(request), customer=customer, now=timezone.now())
            form.add_error("purpose", str(error))
            return refused(_page(request, customer, category, form), error)
        except CustomersError as error:
            form.add_error("purpose", str(error))
    return _page(request, customer, category, form, rows)


def _revealed(request: HttpRequest, customer: Customer, category: str, form: RevealForm) -> list[Row]:
    return reveal(
        actor=_user(request),
        customer=customer,
        category=Category(category),
        purpose=form.cleaned_data["purpose"],
        now=timezone.now(),
    )


def _page(
    request: HttpRequest,
    customer: Customer,
    category: str = "",
    form: RevealForm | None = None,
    rows: list[Row] | None = None,
) -> HttpResponse:
    access = access_to(_user(request), customer.book, timezone.now())
    terms = selectors.terms_of(customer)
    found = panels(customer, selectors.rules_of(customer.book), access, terms)
    categories = [
        _shown(panel, form, rows) if panel.category == category else _shown(panel, None, None) for panel in found
    ]
    context = {
        "customer": customer,
        "book": customer.book,
        "country": country_name(customer.jurisdiction),
        "number": found[0].facts[0].text if found[0].facts else "",
        "closed": found[0].state == SealState.CLOSED,
        "categories": categories,
        "purchases": next((one for one in categories if one.rows and one.panel.category == Category.PURCHASES), None),
        "access": access,
        "clearance": access.clearance,
        "opened_at": timezone.localtime() if rows else None,
        "holds": holds_of(customer, timezone.localdate()),
        "consents": selectors.consents_of(customer),
        "terms": terms,
        "same": selectors.same_person(customer),
        "destroyed_on": selectors.destroyed_on(customer),
        "form": form,
        "entries": entries_of("customer", customer.pk, _LATEST),
    }
    return render(request, "customers/customer.html", context, status=422 if form and form.errors else 200)


def _shown(panel: Panel, form: RevealForm | None, rows: list[Row] | None) -> Shown:
    labels = [LABELS[f"{panel.category}.{name}"] for name in FIELDS[panel.category]]
    return Shown(panel, form or RevealForm(category=panel.category), labels, rows)


def _visible(request: HttpRequest, customer_id: UUID) -> Customer:
    return get_object_or_404(selectors.customers_visible_to(_user(request)), pk=customer_id)


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)
