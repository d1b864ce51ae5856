"""Reviews and screenings; what the law asks, as dated records; impact assessments."""

from compliance.models.assessment import ImpactAssessment
from compliance.models.law import Jurisdiction, LegalBasis, Obligation
from compliance.models.reviews import ChecklistItem, Finding, Review, Screening, ScreeningHit

__all__ = [
    "ChecklistItem",
    "Finding",
    "ImpactAssessment",
    "Jurisdiction",
    "LegalBasis",
    "Obligation",
    "Review",
    "Screening",
    "ScreeningHit",
]
