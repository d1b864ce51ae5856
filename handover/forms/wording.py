"""What forms of this room say in the same words."""

from django.utils.translation import gettext_lazy as _

WRITE_A_DAY = _("Write the day as year-month-day, for example 2026-12-31.")
