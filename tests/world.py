"""Everybody who may come to an address, and one of everything that an address can name."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from allauth.mfa.webauthn.internal.auth import WebAuthn
from allauth.usersessions.models import UserSession
from clearing import admit, publish_again
from cryptography.hazmat.primitives.asymmetric import ec
from django.test import Client
from django.utils import timezone
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import Aaguid, AttestationObject, AttestedCredentialData, AuthenticatorData, CollectedClientData
from gates import agreed, carried
from pyrage import x25519

from accounts.demo import Cast
from accounts.models import Departure, Invitation, Membership, Organization, User
from accounts.services import add_membership, add_organization, add_person, invite, make_team, offboard
from compliance.models import Review
from customers.models import Book, Import
from customers.services.consents import give
from customers.services.holding import place_hold
from handover import demo
from handover.models import Addressee, Handover
from handover.notice_content import suggested
from handover.notice_messages import LINK
from handover.services import answering, notices, questions, sending
from handover.workflow import Side, StepKind
from incidents.models import Incident
from incidents.services import report
from jobs.models import Job
from vault import links

# Three people of organizations that have nothing to do with the handover; then its own, and the agency.
OTHERS = ("other_lead", "other_clerk", "other_reviewer")
ACTORS = ("anonymous", *OTHERS, "seller_lead", "seller_clerk", "buyer_lead", "buyer_clerk", "reviewer", "agent")
RECIPIENT = str(x25519.Identity.generate().to_public())


@dataclass
class World:
    """`people`: by name of `ACTORS`, all but the anonymous one. `objects`: what addresses name, by key."""

    cast: Cast
    people: dict[str, User]
    objects: dict[str, object]

    def clients(self, client_of: Callable[[User], Client]) -> dict[str, Client]:
        """A browser of each actor."""
        return {"anonymous": Client()} | {actor: client_of(person) for actor, person in self.people.items()}


def make_world(cast: Cast, now: datetime) -> World:
    """A handover that is certified and one that stands at its second gate, with all that belongs to them. A new kind of
    object that an address names is added to `objects`, of the seller's side."""
    done = certified(cast)
    demo.countersign(done, [Side.SELLER])
    book = demo.import_sample(cast, "Standing orders", 4)
    going = demo.open_demo(cast, book, "Depot")
    demo.pass_necessity(going)
    demo.propose_scope(going)
    sold = Book.objects.get(pk=done.handover.book_id)
    incident = report(
        actor=cast.seller_clerk,
        kind=Incident.Kind.ACCESS,
        severity=Incident.Severity.LOW,
        title="Notebook left open",
        description="For four minutes.",
        detected_at=now,
        now=now,
    )
    objects = {
        **_told(cast),
        "organization": cast.seller.pk,
        "done": done.handover.pk,
        "going": going.handover.pk,
        "book": book.pk,
        "customer": book.customers.first().pk,
        **_kept(cast, book, now),
        "import": Import.objects.filter(book=book).get().pk,
        "job": Job.objects.filter(kind="customers.store", subject_id=Import.objects.get(book=sold).pk).get().pk,
        "review": Review.objects.get(kind="plan", subject_id__in=done.handover.steps.values("pk")).pk,
        "incident": incident.pk,
        "agreement": publish_again(now, organization=cast.seller).pk,
        "signature": cast.seller_clerk.signatures.get().pk,
        "completion": cast.seller_clerk.completions.get(course="law").pk,
        "session": _session(cast.seller_lead).pk,
        "passkey": WebAuthn.add(cast.seller_lead, "Desk", _credential()).instance.pk,
        "membership": cast.seller_clerk.memberships.get().pk,
        "invitation": _invited(cast, now).pk,
        "departure": _left(cast, now).pk,
        "person": cast.seller_clerk.pk,
        "team": make_team(
            actor=cast.seller_lead, organization=cast.seller, name="Warranty", people=[cast.seller_clerk], now=now
        ).pk,
        "question": questions.ask(
            actor=cast.seller_clerk, step=going.step(StepKind.SCOPE), field="basic.phone", text="Who calls?", now=now
        ).pk,
        "grant": going.handover.grants.filter(group__team__organization=cast.seller).first().grant,
    }
    return World(cast, _people(cast, now), objects)


def _kept(cast: Cast, book: Book, now: datetime) -> dict[str, object]:
    """A hold and a consent of the second customer of a book."""
    customer, lead = book.customers.order_by("pk")[1], cast.seller_lead
    hold = place_hold(actor=lead, book=book, customer=customer, reason="Case 12", until=None, now=now)
    consent = give(actor=lead, customer=customer, purpose="News", on=timezone.localdate(now), now=now)
    return {"hold": hold.pk, "consent": consent.pk}


def _told(cast: Cast) -> dict[str, object]:
    """A handover whose customers were told by the platform, one of them, the link that he has, and what he asks for."""
    told = demo.open_demo(cast, demo.import_sample(cast, "Gift cards", 4), "Gift cards")
    demo.pass_necessity(told)
    demo.pass_scope(told)
    until = timezone.localdate() + timedelta(days=7)
    asked = {"telling": "platform", "told_on": None, "told_how": "", "answer_until": until}
    demo.pass_plan(told, recipient_key=RECIPIENT, method="sftp", **asked)
    handover, now = Handover.objects.get(pk=told.handover.pk), timezone.now()
    notice = notices.write(
        actor=cast.seller_clerk,
        handover=handover,
        texts=suggested(handover),
        reach="Service desk",
        answer_until=until,
        seen=b"",
        now=now,
    )
    digest = bytes(notice.digest)
    notice = notices.approve(actor=cast.seller_lead, notice=notice, digest=digest, now=now)
    site = "http://testserver/"
    demo.run_job(sending.send(actor=cast.seller_lead, notice=notice, digest=digest, site=site, now=now))
    row = Addressee.objects.order_by("customer").filter(notice=notice).first()
    asked = answering.ask(addressee_id=row.pk, kind="copy", text="All of it, please.", now=now)
    token = links.make(cast.seller.pk, LINK, row.pk)
    return {"told": handover.pk, "addressee": row.pk, "link": token, "request": asked.pk}


def _people(cast: Cast, now: datetime) -> dict[str, User]:
    own = {actor: getattr(cast, actor) for actor in ACTORS if actor not in {"anonymous", *OTHERS}}
    business = _elsewhere(Organization.Kind.BUSINESS, "Elsewhere", now)
    firm = _elsewhere(Organization.Kind.REVIEWER, "Elsewhere Reviews", now)
    places = {
        "other_lead": (business, "lead"),
        "other_clerk": (business, "clerk"),
        "other_reviewer": (firm, "reviewer"),
    }
    others = {actor: _join(actor, *place, now) for actor, place in places.items()}
    admit(*others.values(), now=now)
    return own | others


def _elsewhere(kind: str, name: str, now: datetime) -> Organization:
    return add_organization(
        actor=None,
        now=now,
        kind=kind,
        name=name,
        legal_name=f"{name} Ltd.",
        country="SG",
        registration_number=uuid4().hex,
        contact_name="Qi Yue",
        contact_email="notices@elsewhere.example",
    )


def _join(actor: str, organization: Organization, role: str, now: datetime) -> User:
    person = add_person(actor=None, email=f"{actor}@elsewhere.example", name=actor.title(), now=now)
    add_membership(actor=None, person=person, organization=organization, role=Membership.Role(role), now=now)
    return person


def _invited(cast: Cast, now: datetime) -> Invitation:
    return invite(
        actor=cast.seller_lead,
        organization=cast.seller,
        email="tao.yun@jinghe.example",
        name="Tao Yun",
        role=Membership.Role.CLERK,
        language="en",
        link=lambda token: f"http://testserver/invitations/{token}/",
        now=now,
    )


def _left(cast: Cast, now: datetime) -> Departure:
    person = add_person(actor=None, email="shen.yi@jinghe.example", name="Shen Yi", now=now)
    role = Membership.Role.CLERK
    gone = add_membership(actor=None, person=person, organization=cast.seller, role=role, now=now)
    return offboard(actor=cast.seller_lead, membership=gone, taker=cast.seller_clerk, now=now)


def _session(person: User) -> UserSession:
    """Where somebody is signed in besides."""
    elsewhere = Client()
    elsewhere.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    elsewhere.get("/language/")
    return UserSession.objects.get(user=person)


def _credential() -> dict[str, object]:
    """What a browser sends of a new passkey."""
    key = ES256.from_cryptography_key(ec.generate_private_key(ec.SECP256R1()).public_key())
    made = AttestedCredentialData.create(Aaguid.NONE, b"desk", key)
    seen = AuthenticatorData.create(b"h" * 32, AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.AT, 0, made)
    response = {
        "clientDataJSON": CollectedClientData.create("webauthn.create", b"challenge", "https://handover.example").b64,
        "attestationObject": websafe_encode(bytes(AttestationObject.create("none", seen, {}))),
    }
    return {"id": websafe_encode(b"desk"), "rawId": websafe_encode(b"desk"), "type": "public-key", "response": response}


def certified(cast: Cast, **plan: Any) -> demo.Demo:
    """A handover with its certificate and an encrypted package."""
    run = demo.open_demo(cast, demo.import_sample(cast, "Members", 4), "Shop")
    agreed(run, **{"recipient_key": RECIPIENT, **plan})
    carried(run)
    demo.run_job(run.handover.delivery.job)
    return run
