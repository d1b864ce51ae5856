"""The cast of the demo: one agency, a seller, a buyer and a review firm with their people.

Invented, like their numbers."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from stdnum.cn import uscc

from accounts.courses import courses
from accounts.models import Agreement, Membership, Organization, Signature, User
from accounts.services import (
    add_membership,
    add_organization,
    add_person,
    ensure_platform_agreement,
    sign,
    take_quiz,
)

_ORGANIZATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)


def _code_value(character: str) -> int:
    return int(character, 36)


def registration_number(division: str, body: str) -> str:
    """A valid unified social credit code (GB 32100-2015) of a company: six digits of the division, eight of the
    organization code; both check characters (GB 11714, GB 32100) are computed."""
    rest = 11 - sum(w * _code_value(c) for w, c in zip(_ORGANIZATION_WEIGHTS, body, strict=True)) % 11
    organization_code = body + {10: "X", 11: "0"}.get(rest, str(rest))
    number = f"91{division}{organization_code}"
    return number + str(uscc.calc_check_digit(number))


@dataclass(frozen=True)
class Company:
    key: str
    kind: str
    name: str
    legal_name: str
    number: str
    contact_name: str
    contact_email: str
    contact_phone: str


@dataclass(frozen=True)
class Person:
    key: str
    name: str
    email: str
    company: str
    role: str
    does: str | Promise
    is_staff: bool = False


COMPANIES = [
    Company(
        "agency",
        Organization.Kind.AGENCY,
        "Shanghai Jiaxi",
        "上海嘉熙企业转让服务有限公司",
        registration_number("310115", "MA1K4J7X"),
        "Xu Lan",
        "notices@jiaxi.example",
        "021-5550 1290",
    ),
    Company(
        "seller",
        Organization.Kind.BUSINESS,
        "Jinghe Cleaning Supplies",
        "苏州净禾清洁用品有限公司",
        registration_number("320508", "MA1XQ417"),
        "Zhao Min",
        "privacy@jinghe.example",
        "0512-5550 8642",
    ),
    Company(
        "buyer",
        Organization.Kind.BUSINESS,
        "Lanquan Home Care",
        "杭州蓝泉家居护理有限公司",
        registration_number("330106", "MA2CE90B"),
        "Wu Jiayi",
        "privacy@lanquan.example",
        "0571-5550 3317",
    ),
    Company(
        "reviewers",
        Organization.Kind.REVIEWER,
        "Heng'an Compliance",
        "北京恒安合规咨询有限公司",
        registration_number("110105", "MA01R6H8"),
        "Lin Shuyi",
        "reviews@hengan.example",
        "010-5550 7215",
    ),
]

PEOPLE = [
    Person("seller_lead", "Zhao Min", "zhao.min@jinghe.example", "seller", "lead", _("Approves for the seller")),
    Person(
        "seller_clerk", "Chen Guoqiang", "chen.guoqiang@jinghe.example", "seller", "clerk", _("Prepares for the seller")
    ),
    Person("buyer_lead", "Wu Jiayi", "wu.jiayi@lanquan.example", "buyer", "lead", _("Approves for the buyer")),
    Person("buyer_clerk", "Sun Hao", "sun.hao@lanquan.example", "buyer", "clerk", _("Prepares for the buyer")),
    Person("reviewer", "Lin Shuyi", "lin.shuyi@hengan.example", "reviewers", "reviewer", _("Reviews and decides")),
    Person("second_reviewer", "He Rui", "he.rui@hengan.example", "reviewers", "reviewer", _("Reviews and decides")),
    Person(
        "agent",
        "Xu Lan",
        "xu.lan@jiaxi.example",
        "agency",
        "agent",
        _("Runs the platform, opens the admin"),
        is_staff=True,
    ),
]
EMAILS = frozenset(person.email for person in PEOPLE)


@dataclass(frozen=True)
class Cast:
    agency: Organization
    seller: Organization
    buyer: Organization
    reviewers: Organization
    agent: User
    seller_lead: User
    seller_clerk: User
    buyer_lead: User
    buyer_clerk: User
    reviewer: User
    second_reviewer: User


@transaction.atomic
def make_cast(now: datetime, *, cleared: bool = True) -> Cast:
    """The organizations and people of the demo: those that are missing are added, the others returned as they are.
    `cleared`: everybody has signed and passed what opens customer data. Nobody has a password: the demo page signs
    them in."""
    companies = {company.key: _company(company, now) for company in COMPANIES}
    people = {person.key: _person(person, companies[person.company], now) for person in PEOPLE}
    if cleared:
        clear(list(people.values()), now)
    return Cast(**companies, **people)  # type: ignore[arg-type]  # the keys above are the names of the fields


def _company(company: Company, now: datetime) -> Organization:
    known = Organization.objects.filter(country="CN", registration_number=company.number).first()
    return known or add_organization(
        actor=None,
        now=now,
        kind=company.kind,
        name=company.name,
        legal_name=company.legal_name,
        country="CN",
        registration_number=company.number,
        contact_name=company.contact_name,
        contact_email=company.contact_email,
        contact_phone=company.contact_phone,
    )


def _person(person: Person, organization: Organization, now: datetime) -> User:
    user = User.objects.filter(email=person.email).first()
    if user is None:
        user = add_person(actor=None, email=person.email, name=person.name, is_staff=person.is_staff, now=now)
    if not Membership.objects.filter(user=user, organization=organization).exists():
        add_membership(actor=None, person=user, organization=organization, role=person.role, now=now)
    if person.is_staff and not user.is_superuser:
        user.is_superuser = True  # the demo's agent administers everything
        user.save(update_fields=["is_superuser"])
    return user


def clear(people: list[User], now: datetime) -> None:
    """Those of these people who have never signed anything sign the platform's agreement and pass every course. Who
    has is left alone: what expires, and a new version, asks them as it asks everybody."""
    agreement = ensure_platform_agreement(now=now)
    known = set(Signature.objects.filter(user__in=people).values_list("user", flat=True))
    for person in people:
        if person.pk not in known:
            _sign_and_pass(person, agreement, now)


def _sign_and_pass(person: User, agreement: Agreement, now: datetime) -> None:
    digest = agreement.text_hash
    name = person.name
    sign(actor=person, agreement=agreement, name=name, address=None, language="zh", text_hash=digest, now=now)
    for course in courses().values():
        answers = {place: question.right for place, question in enumerate(course.questions)}
        take_quiz(actor=person, course=course, answers=answers, now=now)
