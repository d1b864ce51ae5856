from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule

from jobs import services
from jobs.errors import JobsError
from jobs.models import Job
from vault.admin import ID, ReadOnlyAdmin, column

# The schedule is written in the settings. Who could edit it here could run any task, and no ledger would know.
admin.site.unregister([ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule])


@admin.register(PeriodicTask)
class ScheduleAdmin(ReadOnlyAdmin):
    """What runs by itself, and when it last did."""

    list_display = [
        column("name", gettext_lazy("Name")),
        "schedule",
        column("enabled", gettext_lazy("On")),
        column("last_run_at", gettext_lazy("Last run")),
        column("total_run_count", gettext_lazy("Runs")),
    ]
    shown = [*list_display, column("task", gettext_lazy("Task"))]
    ordering = ["name"]

    @admin.display(description=gettext_lazy("When"))
    def schedule(self, task: PeriodicTask) -> str:
        return str(task.interval or task.crontab)


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    list_display = [
        column("kind", gettext_lazy("Kind")),
        column("state", gettext_lazy("State")),
        column("rows_total", gettext_lazy("Rows")),
        column("created_at", gettext_lazy("Planned")),
        column("started_at", gettext_lazy("Started")),
        column("ended_at", gettext_lazy("Ended")),
        column("error", gettext_lazy("Error")),
    ]
    shown = [
        ID,
        *list_display,
        column("subject_type", gettext_lazy("Subject")),
        column("subject_id", gettext_lazy("Id of the subject")),
        column("started_by", gettext_lazy("Id of the person who started it")),
        column("audience", gettext_lazy("Organizations that watch it")),
    ]
    list_filter = ["state", "kind"]
    ordering = ["-created_at"]
    actions = ["retry"]

    @admin.action(description=gettext_lazy("Retry failed jobs"), permissions=["view"])
    def retry(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        count = 0
        for job in queryset:
            try:
                services.retry(actor=request.user, job=job, now=timezone.now())
                count += 1
            except JobsError:
                continue
        if count:
            done = ngettext("%(count)d job runs again.", "%(count)d jobs run again.", count) % {"count": count}
            self.message_user(request, done, messages.SUCCESS)
        else:
            self.message_user(request, _("Choose failed jobs: only those can be retried."), messages.WARNING)
