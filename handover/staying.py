"""Why a customer does not cross: data only."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Reason(TextChoices):
    """In the order of their weight: a customer is counted under the first that holds."""

    DESTROYED = "destroyed", _("Basic information was destroyed")
    SEGMENT = "segment", _("Not among the customers whom the scope names")
    REQUEST = "request", _("Asked to be deleted, or to stay")
    OBJECTED = "objected", _("Objected to the notice")
    NOT_TOLD = "not_told", _("Was not told")
    NO_CONSENT = "no_consent", _("Did not consent")
