"""The pages of a course, its questions, and the certificate of having passed them."""

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from accounts import services
from accounts.clearance import counts_until
from accounts.clearance_forms import QuizForm
from accounts.courses import Course, courses, in_language
from accounts.errors import AccountsError
from accounts.models import User
from accounts.prose import blocks
from accounts.selectors import completions_of, completions_visible_to


@login_required
@require_safe
def course(request: HttpRequest, code: str) -> HttpResponse:
    """What the course is about, its pages, and how one stands."""
    found, user = _course(code), _user(request)
    completion = completions_of([user])[user.pk].get(code)
    until = counts_until(completion, found)
    context = {
        "course": found,
        "title": in_language(found.title),
        "summary": in_language(found.summary),
        "lessons": [in_language(lesson.title) for lesson in found.lessons],
        "completion": completion if until and until > timezone.now() else None,
        "expired": completion is not None and (until is None or until <= timezone.now()),
    }
    return render(request, "accounts/course.html", context)


@login_required
@require_safe
def lesson(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """One page of a course."""
    found = _course(code)
    if not 1 <= number <= len(found.lessons):
        raise Http404
    shown = found.lessons[number - 1]
    context = {
        "course": found,
        "title": in_language(found.title),
        "number": number,
        "heading": in_language(shown.title),
        "blocks": list(blocks(in_language(shown.text))),
        "previous": number - 1,
        "following": number + 1 if number < len(found.lessons) else 0,
        "lessons": list(enumerate((in_language(one.title) for one in found.lessons), start=1)),
    }
    return render(request, "accounts/lesson.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def quiz(request: HttpRequest, code: str) -> HttpResponse:
    """The questions. A try that does not pass says which answers were wrong, never which are right."""
    found = _course(code)
    form = QuizForm(request.POST if request.method == "POST" else None, course=found)
    wrong: list[int] = []
    if form.is_valid():
        try:
            marked = services.take_quiz(actor=_user(request), course=found, answers=form.chosen, now=timezone.now())
        except AccountsError as error:
            form.add_error(None, str(error))
        else:
            if marked.completion:
                _congratulate(request, marked)
                return redirect("course_certificate", marked.completion.pk)
            wrong = marked.wrong
            form.mark(wrong)
    context = {"course": found, "title": in_language(found.title), "form": form, "wrong": len(wrong)}
    return render(request, "accounts/quiz.html", context, status=422 if form.errors else 200)


def _congratulate(request: HttpRequest, marked: services.Marked) -> None:
    if marked.wrong:
        text = ngettext(
            "Passed. %(count)s answer was not right; this is your certificate.",
            "Passed. %(count)s answers were not right; this is your certificate.",
            len(marked.wrong),
        ) % {"count": len(marked.wrong)}
    else:
        text = _("Passed, with every answer right. This is your certificate.")
    messages.success(request, text)


@login_required
@require_safe
def certificate(request: HttpRequest, completion_id: UUID) -> HttpResponse:
    """Who passed which course when, and until when that counts; to print."""
    completion = get_object_or_404(completions_visible_to(_user(request)), pk=completion_id)
    context = {"completion": completion, "course": _course(completion.course)}
    return render(request, "accounts/course_certificate.html", context)


def _course(code: str) -> Course:
    found = courses().get(code)
    if found is None:
        raise Http404
    return found


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)
