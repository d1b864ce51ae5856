"""What `<c-obligations>` shows."""

from django import template

from compliance.models import Obligation
from handover.legal import obligations_of
from handover.models import Handover

register = template.Library()


@register.simple_tag
def obligations(handover: Handover, stage: str) -> list[Obligation]:
    """What the law asks of a handover at a stage."""
    return obligations_of(handover, stage)
