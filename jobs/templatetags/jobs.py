"""What the panel of a job shows."""

from typing import Any

from django import template
from django.template.context import Context
from django.utils.functional import Promise

from jobs import selectors
from jobs.models import Job
from jobs.registry import is_pausable
from jobs.transitions import ENDED
from jobs.workflow import JobState

register = template.Library()
TAGS = {
    JobState.PLANNED: ("wait", "clock"),
    JobState.RUNNING: ("run", "run"),
    JobState.PAUSED: ("wait", "clock"),
    JobState.CANCELING: ("wait", "clock"),
    JobState.CANCELED: ("", "info"),
    JobState.FAILED: ("stop", "stop"),
    JobState.DONE: ("ok", "passed"),
}


def _may_pause(job: Job) -> bool:
    at_rest = job.state == JobState.PAUSED and job.paused_by is None
    return is_pausable(job) and (at_rest or job.state in {JobState.PLANNED, JobState.RUNNING})


@register.simple_tag(takes_context=True)
def job_panel(context: Context, job: Job) -> dict[str, Any]:
    """Progress, state and which buttons the reader of the page has."""
    user = getattr(context.get("request"), "user", None)
    acts = user is not None and selectors.may_act_on(job, user)
    kind, icon = TAGS[JobState(job.state)]
    return {
        "title": selectors.title_of(job),
        "progress": selectors.progress_of(job),
        "kind": kind,
        "icon": icon,
        "ended": job.state in ENDED,
        "may_cancel": acts and selectors.may_be_canceled(job),
        "may_pause": acts and _may_pause(job),
        "may_go_on": acts and job.state == JobState.PAUSED and job.paused_by is not None,
        "may_retry": acts and job.state == JobState.FAILED,
    }


@register.filter
def job_title(job: Job) -> str | Promise:
    """The translated title of the job's kind."""
    return selectors.title_of(job)


@register.filter
def job_tag(job: Job) -> dict[str, str]:
    """Kind and icon of the state's tag."""
    kind, icon = TAGS[JobState(job.state)]
    return {"kind": kind, "icon": icon}
