from typing import Any

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

# The schedule is written in the settings. Who could edit it here could run any task, and no ledger would know.
admin.site.unregister([ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule])


class _ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(PeriodicTask)
class ScheduleAdmin(_ReadOnlyAdmin):
    """What runs by itself, and when it last did."""

    list_display = ["name", "schedule", "enabled", "last_run_at", "total_run_count"]
    fields = ["name", "task", "schedule", "enabled", "last_run_at", "total_run_count"]
    readonly_fields = ["schedule"]
    ordering = ["name"]


@admin.register(Job)
class JobAdmin(_ReadOnlyAdmin):
    list_display = ["kind", "state", "subject_type", "rows_total", "created_at", "started_at", "ended_at", "error"]
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
