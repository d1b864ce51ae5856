"""Gate 1: why the buyer needs each category."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from customers.models import Category
from handover.errors import HandoverError
from handover.models import Handover, Step
from handover.services.moving import lock, move
from handover.workflow import Side, StepKind


@transaction.atomic
def save_draft(*, actor: User, step: Step, purpose: str, categories: Mapping[str, str], now: datetime) -> Step:
    """Keep the purpose and one text per category; an empty text says that the category is not needed.

    Raises HandoverError when `actor` may not write or the gate is not being prepared.
    """
    move(step, "draft", actor=actor, side=Side.SELLER, now=now)
    texts = {category: categories.get(category, "").strip() for category in Category.values}
    step.content = {"purpose": purpose.strip(), "categories": texts}
    step.save(update_fields=["content"])
    return step


@transaction.atomic
def submit(*, actor: User, step: Step, now: datetime) -> Step:
    """Ask for approval. Raises HandoverError when the purpose or the basic information has no reason."""
    lock(step)
    if not step.content.get("purpose"):
        raise HandoverError(_("Write what the buyer will do with the data, then submit."))
    if not step.content.get("categories", {}).get(Category.BASIC):
        raise HandoverError(_("Write why the buyer needs the basic information: nothing crosses without it."))
    return move(step, "submit", actor=actor, side=Side.SELLER, now=now)


def needed_categories(handover: Handover) -> list[str]:
    """The categories that the necessity names a reason for; no field of another one may cross."""
    content = Step.objects.values_list("content", flat=True).get(handover=handover, kind=StepKind.NECESSITY)
    return [category for category in Category.values if content.get("categories", {}).get(category)]
