"""Pages of an import: upload, columns, check, confirmation, result. Every file is sealed before a view sees it."""

from collections.abc import Iterator
from itertools import islice
from typing import cast
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.limits import spend
from accounts.models import User
from customers.access import Access, access_to
from customers.errors import CustomersError
from customers.forms import ColumnsForm, ConfirmForm, UploadForm, field_label
from customers.import_columns import columns_of
from customers.models import Book, Import
from customers.parsing.problems import MAX_KEPT, Problem, column_letters, count_by_reason, unpacked
from customers.parsing.reasons import FileRefused, reason_title, refusal_sentence, row_sentence
from customers.permissions import works_on
from customers.selectors import books_visible_to, imports_of, imports_visible_to, latest_job_of
from customers.services import importing
from customers.spreadsheets import csv_lines
from customers.uploads import SealedUpload, SealingUploadHandler
from customers.workflow import BookState, ImportState

_SHOWN = 50
_MEGABYTE = 1024 * 1024


@login_required
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def upload(request: HttpRequest, book_id: UUID) -> HttpResponseBase:
    """Choose or send a file. The upload handler must be set before anything reads the form, so the check against
    forged requests runs one function further in."""
    book = get_object_or_404(books_visible_to(_user(request)).select_related("organization"), pk=book_id)
    access = access_to(_user(request), book, timezone.now())
    handler = None
    if request.method == "POST" and access.imports and access.clearance:
        handler = SealingUploadHandler(request, book, timezone.now())
        request.upload_handlers = [handler]
    return _upload(request, book, access, handler)


@csrf_protect
def _upload(request: HttpRequest, book: Book, access: Access, handler: SealingUploadHandler | None) -> HttpResponseBase:
    if handler:
        spend(request, "upload", timezone.now())
    form = UploadForm(request.POST, request.FILES) if handler else UploadForm()
    if handler and handler.too_large:
        form.errors.clear()
        form.add_error("file", str(FileRefused("too_large", limit=settings.IMPORT_MAX_BYTES // _MEGABYTE)))
    elif handler and form.is_valid():
        try:
            sealed = cast(SealedUpload, form.cleaned_data["file"])
            item = importing.receive(actor=_user(request), book=book, upload=sealed, now=timezone.now())
            return redirect("customers:import", item.pk)
        except CustomersError as error:
            form.add_error("file", str(error))
    context = {
        "book": book,
        "form": form,
        "works": works_on(_user(request), book),
        "allowed": access.imports,
        "clearance": access.clearance,
        "open": book.state == BookState.OPEN,
        "limit": settings.IMPORT_MAX_BYTES // _MEGABYTE,
        "imports": imports_of(book)[:10],
    }
    return render(request, "customers/import_upload.html", context, status=422 if form.errors else 200)


@login_required
@require_safe
def show(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """The page of an import in its state."""
    item = _visible(request, import_id)
    access = _access(request, item)
    if _is_at_its_columns(item):
        if not (access.imports and access.clearance):
            return render(request, "customers/import_closed.html", _closed(item, access))
        return _columns_page(request, item, _columns_form(item, access))
    if item.state == ImportState.CHECKED:
        return _checked_page(request, item)
    context = {"item": item, "book": item.book, "job": latest_job_of(item), "problems": _first_problems(item)}
    return render(request, "customers/import_state.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def check(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Take the columns and start the dry run, or read the file again in another character set. A GET leads back: this
    address stays in the browser after a form with errors."""
    item = _visible(request, import_id)
    access = _access(request, item)
    if request.method != "POST" or not (access.imports and access.clearance):
        # Who may not import: the page of the import says what is missing.
        return redirect("customers:import", item.pk)
    try:
        form = _columns_form(item, access, request)
        if form.is_valid() or form.new_encoding:
            _go_on(_user(request), item, form)
        else:
            return _columns_page(request, item, form, status=422)
    except CustomersError as error:
        item.refresh_from_db()
        if _is_at_its_columns(item):
            # With the form: what was typed stays.
            form.errors.clear()
            form.add_error(None, str(error))
            return _columns_page(request, item, form, status=422)
        messages.error(request, str(error))
    return redirect("customers:import", item.pk)


def _go_on(actor: User, item: Import, form: ColumnsForm) -> None:
    # Another character set gives other columns: what was wrong with these does not matter.
    now, source = timezone.now(), form.cleaned_data.get("source", "")
    if form.new_encoding:
        importing.reread(actor=actor, item=item, encoding=form.new_encoding, source=source, now=now)
        return
    importing.start_check(
        actor=actor,
        item=item,
        mapping=form.mapping,
        source=form.cleaned_data["source"],
        date_order=form.cleaned_data["date_order"],
        now=now,
    )


def _is_at_its_columns(item: Import) -> bool:
    return item.state in {ImportState.UPLOADED, ImportState.FAILED} and item.head is not None


@login_required
@require_POST
def change(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Back from a check to the columns."""
    item = _visible(request, import_id)
    try:
        importing.reopen_columns(actor=_user(request), item=item, now=timezone.now())
    except CustomersError as error:
        messages.error(request, str(error))
    return redirect("customers:import", item.pk)


@login_required
@require_POST
def store(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Confirm: store the good rows."""
    item = _visible(request, import_id)
    form = ConfirmForm(request.POST)
    leave_out = form.is_valid() and form.cleaned_data["leave_out_bad"]
    try:
        importing.start_storing(actor=_user(request), item=item, leave_out_bad=leave_out, now=timezone.now())
    except CustomersError as error:
        messages.error(request, str(error))
    return redirect("customers:import", item.pk)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Ask, then cancel and destroy the file."""
    item = _visible(request, import_id)
    if request.method != "POST":
        return render(request, "customers/import_cancel.html", {"item": item, "book": item.book})
    try:
        importing.cancel(actor=_user(request), item=item, now=timezone.now())
    except CustomersError as error:
        messages.error(request, str(error))
    return redirect("customers:import", item.pk)


@login_required
@require_safe
def bad_rows(request: HttpRequest, import_id: UUID) -> StreamingHttpResponse:
    """Every bad row as CSV: where and why, no values."""
    item = _visible(request, import_id)
    response = StreamingHttpResponse(csv_lines(_bad_rows(item)), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="bad-rows-{item.pk}.csv"'
    response["Cache-Control"] = "no-store"
    return response


def _bad_rows(item: Import) -> Iterator[list[object]]:
    yield [_("Row"), _("Column"), _("Field"), _("Reason")]
    for problem in unpacked(bytes(item.problems)):
        letters, field = column_letters(problem.column), _field_of(item, problem)
        yield [problem.row, letters, field, row_sentence(problem.reason, problem.other)]


def _first_problems(item: Import) -> list[dict[str, object]]:
    return [
        {
            "row": problem.row,
            "letters": column_letters(problem.column),
            "field": _field_of(item, problem),
            "reason": row_sentence(problem.reason, problem.other),
        }
        for problem in islice(unpacked(bytes(item.problems)), _SHOWN)
    ]


def _field_of(item: Import, problem: Problem) -> str:
    field = item.mapping[problem.column] if problem.column < len(item.mapping) else ""
    return field_label(field) if field else ""


def _checked_page(request: HttpRequest, item: Import) -> HttpResponse:
    counts, access = count_by_reason(unpacked(bytes(item.problems))), _access(request, item)
    context = {
        "item": item,
        "book": item.book,
        "open": item.book.state == BookState.OPEN,
        "allowed": access.imports,
        "clearance": access.clearance,
        "reasons": [(reason_title(reason), count) for reason, count in counts.items()],
        "problems": _first_problems(item),
        "total_problems": sum(counts.values()),
        "kept": MAX_KEPT,
    }
    return render(request, "customers/import_checked.html", context)


def _closed(item: Import, access: Access) -> dict[str, object]:
    return {"item": item, "book": item.book, "allowed": access.imports, "clearance": access.clearance}


def _columns_form(item: Import, access: Access, request: HttpRequest | None = None) -> ColumnsForm:
    headers, rows = importing.head_of(item, access)
    columns = columns_of(headers, rows, item.mapping)
    initial = {"source": item.source, "date_order": item.date_order}
    return ColumnsForm(request.POST if request else None, item=item, columns=columns, rows=rows, initial=initial)


def _columns_page(request: HttpRequest, item: Import, form: ColumnsForm, status: int = 200) -> HttpResponse:
    context = {
        "item": item,
        "book": item.book,
        "form": form,
        "refusal": refusal_sentence(item.problem.get("code", ""), item.problem.get("facts", {})),
        "matched": sum(1 for column in form.columns if column.field),
    }
    return render(request, "customers/import_columns.html", context, status=status)


def _access(request: HttpRequest, item: Import) -> Access:
    return access_to(_user(request), item.book, timezone.now())


def _visible(request: HttpRequest, import_id: UUID) -> Import:
    return get_object_or_404(imports_visible_to(_user(request)), pk=import_id)


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)
