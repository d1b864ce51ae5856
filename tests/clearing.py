"""People who may open customer data and people who may not, made without the way there."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from unittest import mock

import owner
import pgtrigger
from django.utils import timezone

from accounts.courses import courses
from accounts.models import Agreement, Completion, Signature, User
from accounts.services import ensure_platform_agreement, publish_agreement
from vault.ciphers import Cipher


def admit(*people: User, now: datetime) -> None:
    """These people have signed the platform's agreement and passed every course; it counts today too."""
    agreement, today = ensure_platform_agreement(now=now), timezone.localdate(max(now, timezone.now()))
    Signature.objects.bulk_create(
        Signature(agreement=agreement, user=one, name=one.name, at=now, text_hash=agreement.text_hash, language="zh")
        for one in people
    )
    Completion.objects.bulk_create(
        Completion(
            user=one,
            course=code,
            version=course.version,
            right=len(course.questions),
            questions=len(course.questions),
            passed_at=now,
            expires_on=today + timedelta(days=300),
        )
        for one in people
        for code, course in courses().items()
    )


def take_back_signature(person: User) -> None:
    """As if the person had never signed."""
    with owner.within(), pgtrigger.ignore():
        Signature.objects.filter(user=person).delete()


def take_back_course(person: User, code: str = "confidentiality") -> None:
    """As if the person had never passed the course."""
    Completion.objects.filter(user=person, course=code).delete()


def let_expire(person: User, code: str = "law") -> None:
    """The course counts no longer since yesterday."""
    Completion.objects.filter(user=person, course=code).update(expires_on=timezone.localdate() - timedelta(days=1))


def publish_again(now: datetime, **place: object) -> Agreement:
    """A new version of the platform's agreement, or of the one at `place`."""
    texts = {"title_zh": "承诺书", "title_en": "Undertaking", "text_zh": "新版。", "text_en": f"New, {now}."}
    return publish_agreement(
        actor=None,
        organization=place.get("organization"),
        handover=place.get("handover"),
        now=now,
        **texts,
    )


def forget_everything(person: User) -> None:
    """Nothing signed and nothing passed."""
    take_back_signature(person)
    Completion.objects.filter(user=person).delete()


# How somebody comes to be without clearance; each with a word of what they are told.
UNCLEAR = {
    "no signature": (lambda person, now: take_back_signature(person), "sign “"),
    "old version": (lambda person, now: publish_again(now), "version 2"),
    "no course": (lambda person, now: take_back_course(person), "pass the course “Keeping"),
    "expired course": (lambda person, now: let_expire(person), "it has expired"),
}


@contextmanager
def nothing_opens() -> Iterator[None]:
    """Within the block no sealed value is opened."""

    def opened(*_args: object) -> bytes:
        raise AssertionError("a value was opened")

    with mock.patch.object(Cipher, "open", opened):
        yield
