"""The impact assessment of a handover: the seller writes it, and it is approved with the plan."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from compliance.assessing import assessment_of
from compliance.errors import ComplianceError
from compliance.law import ASSESSMENT
from compliance.models import ImpactAssessment
from compliance.services.assessments import Assessed, write_assessment
from handover.content import SUBJECT
from handover.errors import HandoverError
from handover.legal import demanding
from handover.models import Handover, Step
from handover.services.moving import audience, check, move, record
from handover.workflow import Side


@transaction.atomic
def write(*, actor: User, step: Step, said: Assessed, now: datetime) -> ImpactAssessment:
    """Keep the assessment while the plan (`step`) is being prepared; who writes it is a writer of the plan.

    Raises HandoverError when a part is missing or `actor` may not write now."""
    check(step, "draft", actor=actor, side=Side.SELLER)
    handover = step.handover
    try:
        assessment = write_assessment(
            actor=actor,
            subject_type=SUBJECT,
            subject_id=handover.pk,
            audience=audience(handover),
            said=said,
            now=now,
        )
    except ComplianceError as error:
        raise HandoverError(str(error)) from error
    move(step, "draft", actor=actor, side=Side.SELLER, now=now)
    record(actor, "handover.plan.assessed", handover, now, outcome=assessment.outcome)
    return assessment


def missing(handover: Handover) -> str:
    """Why the plan cannot be submitted without an assessment, or an empty text."""
    demanded = demanding(handover, ASSESSMENT)
    if demanded is None or assessment_of(SUBJECT, handover.pk) is not None:
        return ""
    message = _("The law asks for an impact assessment before data is provided (%(source)s). Write it, then submit.")
    return message % {"source": demanded.source}
