from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from jobs import selectors, services
from jobs.errors import JobsError
from jobs.forms import PauseForm
from jobs.models import Job
from jobs.registry import canceling_of

PER_PAGE = 50


@login_required
@require_GET
def job_list(request: HttpRequest) -> HttpResponse:
    page = Paginator(_visible(request), PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "jobs/list.html", {"page_obj": page})


@login_required
@require_GET
def detail(request: HttpRequest, pk: str) -> HttpResponse:
    job = get_object_or_404(_visible(request), pk=pk)
    chunks = Paginator(job.chunks.order_by("index").defer("output", "payload"), PER_PAGE)
    context = {"job": job, "footprint": selectors.footprint(job), "page_obj": chunks.get_page(request.GET.get("page"))}
    return render(request, "jobs/detail.html", context)


@login_required
@require_GET
def panel(request: HttpRequest, pk: str) -> HttpResponse:
    job = get_object_or_404(_visible(request), pk=pk)
    response = render(request, "jobs/panel.html", {"job": job})
    if services.has_ended(job):
        # Only a panel that still ran asks: the page around it learns of the end exactly once.
        response["HX-Refresh"] = "true"
    return response


@login_required
@require_http_methods(["GET", "POST"])
def cancel(request: HttpRequest, pk: str) -> HttpResponse:
    """Ask, with what becomes of what is done; a POST cancels the job."""
    job = _actionable(request, pk)
    if request.method == "POST":
        return _cancel(request, job)
    if not selectors.may_be_canceled(job):
        messages.info(request, _("This job cannot be canceled any more."))
        return HttpResponseRedirect(reverse("jobs:detail", args=[job.pk]))
    context = {"job": job, "canceling": canceling_of(job), "back": request.headers.get("Referer", "")}
    return render(request, "jobs/cancel.html", context)


def _cancel(request: HttpRequest, job: Job) -> HttpResponse:
    try:
        job = services.cancel(actor=request.user, job=job, now=timezone.now())
        messages.success(request, _canceled() if services.has_ended(job) else _stops())
    except JobsError as error:
        messages.error(request, str(error))
    return _to(request, job, request.POST.get("back", ""))


def _canceled() -> str:
    return _("The job is canceled.")


def _stops() -> str:
    return _("The job stops after the part at hand.")


@login_required
@require_POST
def retry(request: HttpRequest, pk: str) -> HttpResponse:
    job = _actionable(request, pk)
    try:
        services.retry(actor=request.user, job=job, now=timezone.now())
    except JobsError as error:
        messages.error(request, str(error))
    return _back(request, job)


@login_required
@require_http_methods(["GET", "POST"])
def pause(request: HttpRequest, pk: str) -> HttpResponse:
    """Ask for the reason; a POST with it pauses the job."""
    job = _actionable(request, pk)
    form = PauseForm(request.POST or None, initial={"back": request.headers.get("Referer", "")})
    if request.method == "POST" and form.is_valid():
        try:
            services.pause(actor=request.user, job=job, reason=form.cleaned_data["reason"], now=timezone.now())
            messages.success(request, _("The job rests after the parts at hand until somebody lets it go on."))
        except JobsError as error:
            messages.error(request, str(error))
        return _to(request, job, form.cleaned_data["back"])
    return render(request, "jobs/pause.html", {"job": job, "form": form})


@login_required
@require_POST
def go_on(request: HttpRequest, pk: str) -> HttpResponse:
    job = _actionable(request, pk)
    try:
        services.go_on(actor=request.user, job=job, now=timezone.now())
        messages.success(request, _("Nobody holds the job back any more."))
    except JobsError as error:
        messages.error(request, str(error))
    return _back(request, job)


def _visible(request: HttpRequest) -> QuerySet[Job]:
    user = request.user
    return selectors.jobs_visible_to(selectors.organizations_of(user), everything=user.is_staff)


def _back(request: HttpRequest, job: Job) -> HttpResponse:
    """To the page whose panel had the button: that of the job's object, or the job's own."""
    return _to(request, job, request.headers.get("Referer", ""))


def _to(request: HttpRequest, job: Job, page: str) -> HttpResponse:
    hosts = {request.get_host()}
    safe = url_has_allowed_host_and_scheme(page, allowed_hosts=hosts, require_https=request.is_secure())
    return HttpResponseRedirect(page if safe else reverse("jobs:detail", args=[job.pk]))


def _actionable(request: HttpRequest, pk: str) -> Job:
    """Agency staff see every job but act on those of their own organizations only."""
    job: Job = get_object_or_404(_visible(request), pk=pk)
    if not selectors.may_act_on(job, request.user):
        raise Http404
    return job
