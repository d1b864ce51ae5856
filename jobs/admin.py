from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from jobs import services
from jobs.errors import JobsError
from jobs.models import Job


@admin.register(Job)
class JobAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["kind", "state", "subject_type", "rows_total", "created_at", "started_at", "ended_at", "error"]
    list_filter = ["state", "kind"]
    ordering = ["-created_at"]
    actions = ["retry"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Job | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Job | None = None) -> bool:
        return False

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
