"""Two people at the same moment: real commits, real locks, two connections."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from django.utils import timezone

from accounts import services
from accounts.demo import make_cast
from accounts.errors import AccountsError
from accounts.models import Membership, User
from accounts.selectors import token_digest

pytestmark = pytest.mark.django_db(transaction=True)


def both(*acts):
    """What each act returned or refused, both begun at once."""
    barrier = Barrier(len(acts))

    def run(act):
        try:
            barrier.wait(timeout=10)
            return act()
        except AccountsError as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


@pytest.fixture
def two_leads():
    now = timezone.now()
    cast = make_cast(now)
    other = services.add_person(actor=None, email="gu.lan@jinghe.example", name="Gu Lan", now=now)
    services.add_membership(actor=None, person=other, organization=cast.seller, role="lead", now=now)
    return cast, cast.seller_lead, other


@pytest.mark.parametrize("act", ["offboard", "demote"])
def test_two_leads_against_each_other_leave_one(two_leads, act):
    cast, *leads = two_leads

    def against(actor, person):
        membership, now = Membership.objects.get(user=person, organization=cast.seller), timezone.now()
        if act == "demote":
            return services.change_role(actor=actor, membership=membership, role="clerk", now=now)
        return services.offboard(actor=actor, membership=membership, taker=cast.seller_clerk, now=now)

    found = both(lambda: against(*leads), lambda: against(*reversed(leads)))
    assert sum(isinstance(one, AccountsError) for one in found) == 1
    assert Membership.objects.filter(organization=cast.seller, role="lead", user__is_active=True).count() == 1


def test_a_link_opened_twice_makes_one_account(two_leads):
    cast, lead, _other = two_leads
    links = []
    services.invite(
        actor=lead,
        organization=cast.seller,
        email="tao.yun@jinghe.example",
        name="Tao Yun",
        role="clerk",
        language="en",
        link=lambda token: links.append(token) or token,
        now=timezone.now(),
    )
    digest = token_digest(links[0])

    def accept():
        return services.accept_as_new(digest=digest, password="six gates, one certificate", now=timezone.now())

    found = both(accept, accept)
    assert sorted(type(one).__name__ for one in found) == ["AccountsError", "User"]
    assert User.objects.filter(email="tao.yun@jinghe.example").count() == 1
    assert Membership.objects.filter(organization=cast.seller, user__email="tao.yun@jinghe.example").count() == 1
