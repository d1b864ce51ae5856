"""What customers are told: what the gates agreed, with the words of the seller, and the digest of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import orjson
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.models import Organization
from customers.models import Category
from customers.transforms import label_of
from handover.content import agreed_fields, agreed_transforms
from handover.models import Handover, Notice, Step
from handover.workflow import StepKind

LANGUAGES = ("zh-hans", "en")
TITLE, WORDS, PURPOSE = 120, 2000, 2000


@dataclass(frozen=True, slots=True)
class Told:
    """A notice as a customer reads it. `crosses`: by category the fields that the buyer gets."""

    title: str
    words: str
    purpose: str
    seller: Organization
    buyer: Organization
    crosses: list[tuple[str | Promise, list[str]]]
    months: int
    consent: bool
    notice: Notice


def told(notice: Notice, language: str) -> Told:
    """The notice in one language; call it with that language active."""
    handover = notice.handover
    texts = notice.texts.get(language) or notice.texts.get("en", {})
    agreed, changed = agreed_fields(handover), agreed_transforms(handover)
    labels = {key: label_of(key, changed.get(key, "")) for key in agreed}
    by_category = [(one.label, [text for key, text in labels.items() if key.startswith(f"{one}.")]) for one in Category]
    return Told(
        title=texts.get("title", ""),
        words=texts.get("words", ""),
        purpose=texts.get("purpose", ""),
        seller=handover.seller,
        buyer=handover.buyer,
        crosses=[(label, fields) for label, fields in by_category if fields],
        months=handover.plan.retention_months,
        consent=handover.plan.asks_consent,
        notice=notice,
    )


def digest_of(notice: Notice) -> bytes:
    """SHA-256 over everything that a customer reads, as JSON with sorted keys and no spaces."""
    return sha256(orjson.dumps(_content(notice), option=orjson.OPT_SORT_KEYS)).digest()


def _content(notice: Notice) -> dict[str, Any]:
    handover = notice.handover
    changed = agreed_transforms(handover)
    return {
        "handover": handover.reference,
        "version": notice.version,
        "texts": notice.texts,
        "reach": notice.reach,
        "answer_until": notice.answer_until,
        "fields": agreed_fields(handover),
        "basis": handover.plan.legal_basis,
        "months": handover.plan.retention_months,
        "parties": [_party(handover.seller), _party(handover.buyer)],
        **({"transforms": changed} if changed else {}),
    }


def _party(one: Organization) -> list[str]:
    return [one.name, one.legal_name, one.country, one.contact_name, one.contact_email, one.contact_phone]


def suggested(handover: Handover) -> dict[str, dict[str, str]]:
    """The texts that the form begins with, in both languages."""
    step = Step.objects.get(handover=handover, kind=StepKind.NECESSITY)
    return {language: _suggested(handover, language, step.content.get("purpose", "")) for language in LANGUAGES}


def _suggested(handover: Handover, language: str, purpose: str) -> dict[str, str]:
    names = {"seller": handover.seller.legal_name, "buyer": handover.buyer.legal_name}
    with override(language):
        return {
            "title": _("Your customer data goes to %(buyer)s") % names,
            "words": _(
                "%(seller)s hands the business of which you are a customer over to %(buyer)s. "
                "Please read what goes to %(buyer)s, and answer if you do not want it."
            )
            % names,
            "purpose": purpose,
        }


def reach_of(seller: Organization) -> str:
    """How customers reach the seller, as the form begins with it."""
    known: Mapping[str, str] = {"name": seller.contact_name, "email": seller.contact_email}
    return " · ".join(text for text in (*known.values(), seller.contact_phone) if text)[:300]
