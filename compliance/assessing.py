"""Impact assessments, read."""

from hashlib import sha256
from uuid import UUID

import orjson

from compliance.models import ImpactAssessment

# What an approval of it says yes to.
_SAID = ("purpose", "effect", "measures", "outcome")


def assessment_of(subject_type: str, subject_id: UUID) -> ImpactAssessment | None:
    """The assessment of a subject; the caller checks who may see the subject."""
    found = ImpactAssessment.objects.filter(subject_type=subject_type, subject_id=subject_id)
    return found.select_related("author").first()


def assessment_digest(assessment: ImpactAssessment) -> str:
    """SHA-256 of what it says, in hex."""
    said = {name: getattr(assessment, name) for name in _SAID}
    return sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()
