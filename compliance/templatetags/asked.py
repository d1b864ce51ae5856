"""What `<c-obligations>` shows where no handover is."""

from collections.abc import Iterable

from django import template

from compliance import law
from compliance.models import Obligation

register = template.Library()


@register.simple_tag
def obligations_in(countries: Iterable[str], stage: str) -> list[Obligation]:
    """What the law of these countries, and standards that apply everywhere, ask at a stage. Nobody leaves a country."""
    places = [one.code for one in law.places_of(countries)]
    return law.obligations(kind="", places=places, leaving=(), stage=stage)
