"""Questions and answers about the scope: the threads, and what is written into them."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from handover.errors import HandoverError
from handover.forms.questions import QuestionForm, ReplyForm
from handover.models import Handover
from handover.selectors import step_of
from handover.services import questions
from handover.threads import questions_visible_to, threads_of
from handover.views.pages import gate_page, user_of, visible
from handover.workflow import StepKind

KIND = StepKind.SCOPE


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, handover_id: UUID) -> HttpResponse:
    """All threads; a POST opens another one."""
    handover = visible(request, handover_id)
    if request.method != "POST":
        return _threads(request, handover, QuestionForm(initial={"field": request.GET.get("field", "")}))
    form = QuestionForm(request.POST)
    if form.is_valid():
        try:
            questions.ask(
                actor=user_of(request),
                step=step_of(handover, KIND),
                field=form.cleaned_data["field"],
                text=form.cleaned_data["text"],
                now=timezone.now(),
            )
        except HandoverError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Your question is open. The other side sees it on its home page."))
            return redirect("handover:scope_questions", handover_id)
    return _threads(request, visible(request, handover_id), form, status=422)


@require_POST
@login_required
def reply(request: HttpRequest, question_id: UUID) -> HttpResponse:
    """Write into a thread."""
    question = get_object_or_404(questions_visible_to(user_of(request)), pk=question_id)
    form = ReplyForm(request.POST)
    if form.is_valid():
        try:
            questions.reply(
                actor=user_of(request), question=question, text=form.cleaned_data["text"], now=timezone.now()
            )
        except HandoverError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Your answer is kept."))
            return redirect("handover:scope_questions", question.handover_id)
    handover = visible(request, question.handover_id)
    return _threads(request, handover, QuestionForm(), status=422, replied=(question_id, form))


@require_POST
@login_required
def resolve(request: HttpRequest, question_id: UUID) -> HttpResponse:
    """Settle a thread."""
    question = get_object_or_404(questions_visible_to(user_of(request)), pk=question_id)
    try:
        questions.resolve(actor=user_of(request), question=question, now=timezone.now())
    except HandoverError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The question is settled."))
    return redirect("handover:scope_questions", question.handover_id)


def _threads(
    request: HttpRequest,
    handover: Handover,
    form: QuestionForm,
    status: int = 200,
    replied: tuple[UUID, ReplyForm] | None = None,
) -> HttpResponse:
    user, side = user_of(request), questions.speaks_for(user_of(request), step_of(handover, KIND))
    threads = threads_of(handover, user, side)
    context = {
        "threads": threads,
        "waits": any(one.waits for one in threads),
        "speaks": side,
        "form": form,
        "replied": replied[0] if replied else None,
        "reply_form": replied[1] if replied else ReplyForm(),
    }
    answer = gate_page(request, handover, KIND, "handover/scope_questions.html", context=context, status=status)
    # Who looks on for somebody reads, and changes nothing: neither what the other has read.
    if request.method == "GET" and user.viewer is None:
        questions.mark_read(actor=user, handover=handover, now=timezone.now())
    return answer
