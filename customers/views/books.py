"""Pages of books: the list, a new one, one book with its customers, and what can be asked of it."""

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.limits import LimitError, refused, spend
from accounts.models import User
from accounts.stepup import fresh_factor_required
from customers import selectors
from customers.access import Access, access_to
from customers.errors import CustomersError
from customers.forms import BookForm, SearchForm
from customers.holds import how_many_held
from customers.masked import listed
from customers.models import Book, Customer
from customers.permissions import may_set_rules, organizations_with_books
from customers.services import deriving, exporting
from customers.services.books import open_book
from customers.workflow import BookState

PER_PAGE = 50
_LATEST = 10


@login_required
@require_safe
def book_list(request: HttpRequest) -> HttpResponse:
    """The books of my organizations, and those on their way to them."""
    user = _user(request)
    context = {
        "books": selectors.books_with_counts(user),
        "arriving": selectors.books_arriving(user),
        "may_open": bool(organizations_with_books(user)),
    }
    return render(request, "customers/books.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Open a book."""
    organizations = organizations_with_books(_user(request))
    if not organizations:
        raise Http404
    form = BookForm(request.POST if request.method == "POST" else None, organizations=organizations)
    if form.is_valid():
        try:
            name, organization = form.cleaned_data["name"], form.organization
            book = open_book(actor=_user(request), organization=organization, name=name, now=timezone.now())
            return redirect("customers:book", book.pk)
        except CustomersError as error:
            form.add_error("name", str(error))
    return render(request, "customers/book_new.html", {"form": form}, status=422 if form.errors else 200)


@login_required
@require_safe
def show(request: HttpRequest, book_id: UUID) -> HttpResponse:
    """A book: figures, its customers masked, what runs in it, how long it is kept, what happened."""
    return _page(request, _visible(request, book_id), SearchForm())


def _page(request: HttpRequest, book: Book, form: SearchForm) -> HttpResponse:
    user = _user(request)
    access = access_to(user, book, timezone.now())
    page = Paginator(_chosen(request, book, access), PER_PAGE).get_page(request.GET.get("page"))
    jobs = selectors.jobs_of_book(book)
    context = {
        "book": book,
        "open": book.state == BookState.OPEN,
        "access": access,
        "allowed": access.imports,
        "figures": selectors.figures_of(book),
        "form": form,
        "found": request.GET.get("found") if access.finds else None,
        "page": page,
        "clearance": access.clearance,
        "rows": listed(list(page.object_list), book, access),
        "jobs": jobs,
        "deriving": any(job.kind == deriving.KIND for job in jobs),
        "imports": selectors.imports_of(book)[:_LATEST],
        "rules": selectors.rules_of(book),
        "may_set_rules": may_set_rules(user, book),
        "held": how_many_held(book, timezone.localdate()),
        "destructions": selectors.destructions_of(book)[:_LATEST],
        "entries": selectors.history_of(book, _LATEST),
    }
    return render(request, "customers/book.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def search(request: HttpRequest, book_id: UUID) -> HttpResponse:
    """What was typed becomes blind indexes: only they go into the address. A GET leads to the book: this address stays
    in the browser after a search that was one too many."""
    book, form = _visible(request, book_id), SearchForm(request.POST)
    address = reverse("customers:book", args=[book.pk])
    if request.method != "POST":
        return redirect(f"{address}?{request.GET.urlencode()}#customers")
    if form.is_valid():
        try:
            spend(request, "search", timezone.now())
            access = access_to(_user(request), book, timezone.now())
            token = selectors.search_token(book, form.cleaned_data["text"], access)
        except LimitError as error:
            messages.error(request, str(error))
            return refused(_page(request, book, form), error)
        except CustomersError as error:
            messages.error(request, str(error))
            return redirect("customers:book", book.pk)
        return redirect(f"{address}?{urlencode({'found': token})}#customers")
    if request.POST.get("text", "").strip():
        messages.error(request, _("Nobody is found by so long a text. Type a number, a name, a phone or an e-mail."))
    return redirect(f"{address}#customers")


@login_required
@fresh_factor_required
@require_POST
def export(request: HttpRequest, book_id: UUID) -> HttpResponseBase:
    """Exactly the customers that the page shows or pages through, masked, as CSV."""
    book = _visible(request, book_id)
    spend(request, "export", timezone.now())
    try:
        access = access_to(_user(request), book, timezone.now())
        chosen = _chosen(request, book, access)
        lines = exporting.export(actor=_user(request), book=book, customers=chosen, now=timezone.now())
    except CustomersError as error:
        messages.error(request, str(error))
        return redirect("customers:book", book.pk)
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="customers-{book.pk}.csv"'
    response["Cache-Control"] = "no-store"
    return response


@login_required
@require_POST
def derive(request: HttpRequest, book_id: UUID) -> HttpResponse:
    """Start the job that derives habits from purchases."""
    book = _visible(request, book_id)
    try:
        deriving.start_deriving(actor=_user(request), book=book, now=timezone.now())
    except CustomersError as error:
        messages.error(request, str(error))
    return redirect("customers:book", book.pk)


def _chosen(request: HttpRequest, book: Book, access: Access) -> QuerySet[Customer]:
    """The customers of the book, or those that the search token in the address finds: for who may search, since who is
    found has what was typed."""
    customers, token = selectors.customers_of(book), request.GET.get("found")
    return customers if token is None or not access.finds else selectors.found_by(customers, token)


def _visible(request: HttpRequest, book_id: UUID) -> Book:
    visible = selectors.books_visible_to(_user(request)).select_related("organization")
    return get_object_or_404(visible, pk=book_id)


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)
