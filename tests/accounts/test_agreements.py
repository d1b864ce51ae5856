"""Publishing versions of an agreement and signing them."""

from uuid import uuid4

import owner
import pytest
from clearing import publish_again, take_back_signature
from django.db import transaction
from django.db.utils import DatabaseError, InternalError

from accounts.clearance import Need, clearance_for
from accounts.errors import AccountsError
from accounts.models import Agreement, Signature
from accounts.services import ensure_platform_agreement, publish_agreement, sign
from accounts.services.agreements import platform_texts
from ledger.models import Entry

pytestmark = pytest.mark.django_db


@pytest.fixture
def platform(cast):
    return Agreement.objects.get(organization=None, handover=None)


def signed(cast, agreement, now, **changes):
    given = {"name": cast.agent.name, "address": "198.51.100.7", "language": "en", "text_hash": agreement.text_hash}
    return sign(actor=cast.agent, agreement=agreement, now=now, **given | changes)


def test_the_platform_has_one_agreement_of_its_own(now):
    agreement = ensure_platform_agreement(now=now)
    assert Agreement.objects.get() == agreement
    assert (agreement.version, agreement.published_by) == (1, None)
    assert agreement.text_zh == platform_texts()["text_zh"]
    assert ensure_platform_agreement(now=now) == agreement


def test_a_signature_keeps_name_time_address_language_and_digest(cast, now, platform):
    take_back_signature(cast.agent)
    made = signed(cast, platform, now, name="  xu  LAN ")
    kept = Signature.objects.get(pk=made.pk)
    assert (kept.name, kept.at, kept.address, kept.language) == ("xu  LAN", now, "198.51.100.7", "en")
    assert kept.text_hash == platform.text_hash
    entry = Entry.objects.get(verb="agreement.signed")
    assert entry.data == {"version": 1, "text_hash": platform.text_hash, "language": "en"}
    assert (entry.actor, entry.audience) == (cast.agent.pk, [cast.agency.pk])


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"name": "Xu"}, "exactly as it is"),
        ({"name": ""}, "exactly as it is"),
        ({"text_hash": "0" * 64}, "newer version"),
        ({"language": "de"}, "newer version"),
    ],
)
def test_what_is_not_a_signature_is_refused_and_not_recorded(cast, now, platform, changes, match):
    take_back_signature(cast.agent)
    with pytest.raises(AccountsError, match=match):
        signed(cast, platform, now, **changes)
    assert not Signature.objects.filter(user=cast.agent).exists()
    assert not Entry.objects.filter(verb="agreement.signed").exists()


def test_nobody_signs_twice(cast, now, platform):
    with pytest.raises(AccountsError, match="signed this version already"):
        signed(cast, platform, now)


def test_an_old_version_cannot_be_signed(cast, now, platform):
    take_back_signature(cast.agent)
    publish_again(now)
    with pytest.raises(AccountsError, match="newer version"):
        signed(cast, platform, now)


@pytest.mark.parametrize("model", [Agreement, Signature])
def test_what_was_published_and_signed_stays(cast, model):
    """Whoever tries: the application has no right to change a signature, and triggers hold the owner off too."""
    for change in (lambda: model.objects.update(text_hash="0" * 64), lambda: Signature.objects.all().delete()):
        with pytest.raises(DatabaseError, match=r"Cannot update or delete|permission denied"), transaction.atomic():
            change()
        with owner.within(), pytest.raises(InternalError, match="Cannot update or delete"), transaction.atomic():
            change()


def test_versions_count_up_at_each_place(cast, now):
    handover = uuid4()
    assert publish_again(now).version == 2
    assert publish_again(now, organization=cast.seller).version == 1
    assert publish_again(now, handover=handover).version == 1
    with pytest.raises(AccountsError, match="word for word"):
        publish_again(now, handover=handover)
    entry = Entry.objects.filter(verb="agreement.published").latest("id")
    assert set(entry.data) == {"version", "text_hash"}


@pytest.mark.parametrize("name", ["title_zh", "title_en", "text_zh", "text_en"])
def test_both_languages_are_written(cast, now, name):
    texts = {"title_zh": "甲", "title_en": "a", "text_zh": "乙", "text_en": "b", name: " \n "}
    with pytest.raises(AccountsError, match="both languages"):
        publish_agreement(actor=cast.agent, organization=None, handover=None, now=now, **texts)


def test_the_nearest_agreement_applies(cast, now):
    """A handover's before the organization's before the platform's; each new one asks again."""
    handover = uuid4()
    need, plain = Need(cast.seller.pk, handover), Need(cast.seller.pk)
    person = cast.seller_lead
    assert clearance_for(person, need, now)
    own = publish_again(now, handover=handover)
    assert [one.url for one in clearance_for(person, need, now).missing] == [f"/agreements/{own.pk}/"]
    assert clearance_for(person, plain, now)
    theirs = publish_again(now, organization=cast.seller)
    assert [one.url for one in clearance_for(person, plain, now).missing] == [f"/agreements/{theirs.pk}/"]
    sign(
        actor=person,
        agreement=own,
        name=person.name,
        address=None,
        language="zh",
        text_hash=own.text_hash,
        now=now,
    )
    assert clearance_for(person, need, now)
    assert not clearance_for(person, plain, now)
    assert clearance_for(cast.buyer_lead, Need(cast.buyer.pk), now)
