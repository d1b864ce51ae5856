"""How long a category of a book is kept."""

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.models import User
from accounts.stepup import fresh_factor_required
from customers.errors import CustomersError, ManyExpire
from customers.forms import RetentionForm
from customers.models import Book, Category
from customers.permissions import may_set_rules
from customers.selectors import books_visible_to, rules_of
from customers.services.retention import BACKUP_DAYS, set_rule


@login_required
@fresh_factor_required
@require_http_methods(["GET", "HEAD", "POST"])
def rule(request: HttpRequest, book_id: UUID, category: str) -> HttpResponse:
    """Change a rule. One that destroys keys in the coming night is asked about once more, with their number."""
    book = _book(request, book_id)
    if category not in Category.values:
        raise Http404
    form, expiring = _form(request, book, category), 0
    if form.is_valid():
        try:
            _set(request, book, Category(category), form)
            messages.success(request, _("The rule is set: %(category)s.") % {"category": Category(category).label})
            return redirect(f"{reverse('customers:book', args=[book.pk])}#retention")
        except ManyExpire as asks:
            expiring = asks.customers
        except CustomersError as error:
            form.add_error(None, str(error))
    context = {
        "book": book,
        "category": Category(category),
        "form": form,
        "expiring": expiring,
        "backup_days": BACKUP_DAYS,
    }
    return render(request, "customers/rule.html", context, status=422 if form.errors or expiring else 200)


def _form(request: HttpRequest, book: Book, category: str) -> RetentionForm:
    if request.method == "POST":
        return RetentionForm(request.POST)
    now = next((rule for rule in rules_of(book) if rule.category == category), None)
    return RetentionForm(initial={"months": now.months, "reason": now.why} if now else None)


def _set(request: HttpRequest, book: Book, category: Category, form: RetentionForm) -> None:
    data = form.cleaned_data
    set_rule(
        actor=cast(User, request.user),
        book=book,
        category=category,
        months=data["months"],
        reason=data["reason"],
        agreed=data["agreed"] or 0,
        now=timezone.now(),
    )


def _book(request: HttpRequest, book_id: UUID) -> Book:
    user = cast(User, request.user)
    book = get_object_or_404(books_visible_to(user).select_related("organization"), pk=book_id)
    if not may_set_rules(user, book):
        raise Http404
    return book
