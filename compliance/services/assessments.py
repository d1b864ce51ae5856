"""Write an impact assessment."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from compliance.errors import ComplianceError
from compliance.law import ASSESSMENTS, number, years_on
from compliance.models import ImpactAssessment

LETTERS = 4000


@dataclass(frozen=True, slots=True)
class Assessed:
    """What an assessment says (PIPL 56)."""

    purpose: str
    effect: str
    measures: str
    outcome: str


@transaction.atomic
def write_assessment(
    *, actor: User, subject_type: str, subject_id: UUID, audience: Sequence[UUID], said: Assessed, now: datetime
) -> ImpactAssessment:
    """Keep the assessment of a subject; the caller knows that `actor` may write it, and records it.

    Raises ComplianceError when a part is missing."""
    texts = {name: text.strip() for name, text in asdict(said).items()}
    if not all(texts.values()) or any(len(text) > LETTERS or "\x00" in text for text in texts.values()):
        raise ComplianceError(_("Write all three parts of the assessment, each with at most 4,000 characters."))
    if said.outcome not in ImpactAssessment.Outcome.values:
        raise ComplianceError(_("Choose the outcome of the assessment."))
    kept_until = years_on(timezone.localdate(now), number(ASSESSMENTS, "keep_years"))
    facts = {"audience": list(audience), "author": actor, "written_at": now, "kept_until": kept_until}
    assessment, _created = ImpactAssessment.objects.update_or_create(
        subject_type=subject_type, subject_id=subject_id, defaults=texts | facts
    )
    return assessment
