"""What a reviewer needs to read the text around a hit."""

from datetime import datetime

from accounts.clearance import Clearance, Need, clearance_for
from accounts.models import User
from accounts.selectors import organizations_of
from compliance.models import Screening


def clearance_for_screening(user: User, screening: Screening, now: datetime) -> Clearance | None:
    """Whether a person may open texts that a screening has read, as one of the organizations that it concerns; None for
    somebody of none of them. An agreement of what was screened for (a handover) goes before the organization's."""
    own = [organization for organization in organizations_of(user) if organization in screening.audience]
    return clearance_for(user, Need(own[0], screening.subject_id), now) if own else None
