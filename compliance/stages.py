"""Where in a handover an obligation is shown: data."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Stage(TextChoices):
    OPENING = "opening", pgettext_lazy("stage of a handover", "Opening")
    NECESSITY = "necessity", _("Necessity")
    SCOPE = "scope", _("Scope")
    PLAN = "plan", _("Plan")
    BACKUP = "backup", _("Backup")
    NOTICE = "notice", pgettext_lazy("stage of a handover", "Customers' notice")
    EXECUTION = "execution", _("Execution")
    DELIVERY = "delivery", pgettext_lazy("stage of a handover", "Delivery")
    AUDIT = "audit", _("Audit")
    AFTER = "after", pgettext_lazy("stage of a handover", "Afterwards")
    REQUESTS = "requests", pgettext_lazy("stage of a handover", "Requests of customers")
    INCIDENTS = "incidents", _("Incidents")
