"""The page that a customer opens: found by the link alone, answered by a POST alone."""

import base64
from datetime import timedelta
from uuid import UUID

import pytest
from asked import over, path_of, sent, token_of, told_at
from django.conf import settings as configured
from django.test import Client
from django.utils import timezone
from django.utils.formats import date_format
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stand import everybody

from customers.models import SubjectRequest
from handover.models import Addressee, Handover, Notice
from handover.notice_messages import LINK
from handover.services import notices
from ledger.models import Entry
from vault import links


@pytest.fixture
def notice(open_at):
    return sent(told_at(open_at))


@pytest.fixture
def row(notice):
    return Addressee.objects.select_related("notice__handover").order_by("customer").first()


def opened(row, query="?lang=en", **headers):
    return Client(enforce_csrf_checks=True).get(path_of(row) + query, headers=headers)


def test_it_shows_what_is_held_who_gets_it_and_why_masked(row):
    answer = opened(row)
    page = answer.content.decode()
    handover = row.notice.handover
    record = next(one for one in everybody(handover.book) if one.id == row.customer)
    assert answer.status_code == 200
    assert handover.buyer.legal_name in page
    assert handover.buyer.contact_email in page
    assert "Continue deliveries, warranty" in page
    assert "I object" in page
    assert record.basic[2][-4:] in page
    for value in (*record.basic[1:3], record.basic[4], *(line[1] for line in record.purchases), *record.habit):
        assert value not in page
    others = [one.basic[0] for one in everybody(handover.book) if one.id != row.customer]
    assert not any(number in page for number in others)


def test_it_keeps_out_of_caches_search_engines_and_other_sites(row):
    answer = opened(row)
    assert answer["Referrer-Policy"] == "no-referrer"
    assert "noindex" in answer["X-Robots-Tag"]
    assert "no-store" in answer["Cache-Control"]
    assert not answer.cookies
    assert "csrfmiddlewaretoken" not in answer.content.decode()


def test_both_languages(row):
    assert '<html lang="en"' in opened(row).content.decode()
    assert '<html lang="zh-Hans"' in opened(row, "?lang=zh-hans").content.decode()
    assert '<html lang="zh-Hans"' in opened(row, "").content.decode()
    assert '<html lang="zh-Hans"' in opened(row, "?lang=fr").content.decode()


@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_looking_never_answers(row, method):
    before = Addressee.objects.values().get(pk=row.pk)
    for query in ("", "?answer=objected", "?done=answer&answer=objected&kind=delete"):
        getattr(Client(), method)(path_of(row) + query)
    assert Addressee.objects.values().get(pk=row.pk) == before
    assert not SubjectRequest.objects.exists()


def test_an_answer_is_kept_and_taken_back(row):
    client = Client(enforce_csrf_checks=True)
    answer = client.post(path_of(row) + "?lang=en", {"answer": "objected"}, follow=True)
    assert "Your data does not go to the new owner" in answer.content.decode()
    row.refresh_from_db()
    assert (row.answer, row.answered_how) == ("objected", "link")
    entry = Entry.objects.get(verb="handover.notice.answered")
    assert entry.audience == [str(row.notice.handover.seller_id)] or entry.audience == [row.notice.handover.seller_id]
    client.post(path_of(row), {"answer": "none"})
    row.refresh_from_db()
    assert row.answer == "none"


@pytest.mark.parametrize("data", [{"answer": "consented"}, {"answer": "x"}, {"answer": ""}, {}, {"kind": "x"}])
def test_what_cannot_be_answered_is_said(row, data):
    answer = Client().post(path_of(row) + "?lang=en", data)
    assert answer.status_code == 422
    assert Addressee.objects.get(pk=row.pk).answer == "none"


def test_after_the_last_day_it_says_whom_to_ask(row):
    over(row.notice)
    answer = Client().post(path_of(row) + "?lang=en", {"answer": "objected"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "The time to answer ended on" in page
    assert row.notice.reach in page
    assert Addressee.objects.get(pk=row.pk).answer == "none"


def test_a_request_is_kept_with_its_day_and_sealed(row):
    client = Client(enforce_csrf_checks=True)
    words = "Please delete all of it, wait: even the notes."
    answer = client.post(path_of(row) + "?lang=en", {"kind": "delete", "text": words}, follow=True)
    assert "Your request is kept" in answer.content.decode()
    assert words not in answer.content.decode()
    item = SubjectRequest.objects.get()
    assert item.text == words
    assert words.encode() not in bytes(item.sealed("text"))
    assert item.due_on == timezone.localdate() + timedelta(days=30)
    assert item.customer_id == row.customer


def test_requests_do_not_pile_up(row):
    client = Client()
    statuses = [client.post(path_of(row), {"kind": "copy"}).status_code for _ in range(6)]
    assert statuses == [302] * 5 + [422]


def test_wrong_made_up_and_withdrawn_links_look_alike(row, cast):
    token = token_of(row)
    other = links.make(cast.buyer.pk, LINK, row.pk)
    wrong = [
        token[:-1] + ("A" if token[-1] != "A" else "Q"),
        "A" * 43,
        "x",
        other,
        links.make(row.notice.handover.seller_id, "other", row.pk),
        links.make(row.notice.handover.seller_id, LINK, UUID(int=5)),
    ]
    pages = {Client().get(f"/c/{one}/").content for one in wrong}
    assert {Client().get(f"/c/{one}/").status_code for one in wrong} == {404}
    notices.withdraw(actor=cast.seller_lead, notice=row.notice, now=timezone.now())
    pages.add(opened(row, "").content)
    assert len(pages) == 1
    page = pages.pop().decode()
    assert "leads nowhere" in page
    assert 'lang="zh-Hans"' in page


def at_the_end(row, days):
    """The last day to answer was so many days ago."""
    Notice.objects.filter(pk=row.notice_id).update(answer_until=timezone.localdate() - timedelta(days=days))


def test_requests_are_possible_until_the_links_last_day(row):
    at_the_end(row, configured.NOTICE_LINK_DAYS)
    page = opened(row).content.decode()
    assert "The time to answer ended on" in page
    assert f"This page can be opened until {date_format(timezone.localdate())}." in page
    assert Client().post(path_of(row), {"kind": "copy"}).status_code == 302
    assert SubjectRequest.objects.count() == 1


@pytest.mark.parametrize("days", [0, 30])
def test_afterwards_a_link_is_like_one_that_never_was(row, settings, days):
    settings.NOTICE_LINK_DAYS = days
    at_the_end(row, days)
    assert opened(row).status_code == 200
    at_the_end(row, days + 1)
    unknown = Client().get("/c/" + "A" * 43 + "/").content
    for answer in (opened(row), Client().post(path_of(row), {"kind": "copy"}), Client().post(path_of(row), {})):
        assert answer.status_code == 404
        assert answer.content == unknown
    assert not SubjectRequest.objects.exists()


@pytest.mark.parametrize(
    ("states", "words"),
    [(["stopped"], "does not take place"), (["certified", "rolled_back"], "has been undone")],
)
def test_afterwards_a_handover_that_ended_still_says_so_and_nothing_more(row, states, words):
    at_the_end(row, configured.NOTICE_LINK_DAYS + 1)
    for state in states:
        Handover.objects.update(state=state)
    record = next(one for one in everybody(row.notice.handover.book) if one.id == row.customer)
    page = opened(row).content.decode()
    assert words in page
    assert record.basic[2][-4:] not in page
    assert "<form" not in page
    assert Client().post(path_of(row), {"kind": "copy"}).status_code == 404
    assert not SubjectRequest.objects.exists()


def test_nobody_tries_many_links(row, monkeypatch):
    limits = {**configured.RATE_LIMITS, "notice_link": [("address", 3, 3600)]}
    monkeypatch.setattr(configured, "RATE_LIMITS", limits)
    client = Client()
    assert [client.get("/c/" + "B" * 43 + "/").status_code for _ in range(5)] == [404] * 3 + [429] * 2
    assert opened(row).status_code == 200


def test_a_stopped_handover_says_that_nothing_goes(row):
    Handover.objects.update(state="stopped")
    page = opened(row).content.decode()
    assert "does not take place" in page
    assert "I object" not in page


def test_the_link_binds_the_rows_of_that_seller_alone(row):
    """Another seller's row with a genuine token of ours does not exist for the page."""
    handover = row.notice.handover
    strange = Notice.objects.create(
        handover=handover,
        version=9,
        state="withdrawn",
        author=handover.opened_by,
        created_at=timezone.now(),
        answer_until=timezone.localdate(),
    )
    other = Addressee.objects.create(notice=strange, customer=row.customer)
    token = links.make(handover.buyer_id, LINK, other.pk)
    assert Client().get(f"/c/{token}/").status_code == 404


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # nothing but a key is kept
@given(st.binary(min_size=0, max_size=48), st.integers(0, 31), st.integers(0, 7))
def test_only_the_very_token_is_genuine(db, raw, place, bit):
    organization, subject = UUID(int=7), UUID(int=9)
    token = links.make(organization, LINK, subject)
    assert links.is_genuine(organization, LINK, token)
    assert not links.is_genuine(organization, "other", token)
    changed = bytearray(base64.urlsafe_b64decode(token + "="))
    changed[place] ^= 1 << bit
    assert not links.is_genuine(organization, LINK, base64.urlsafe_b64encode(bytes(changed)).decode().rstrip("="))
    made_up = base64.urlsafe_b64encode(raw).decode().rstrip("=")
    assert made_up == token or not links.is_genuine(organization, LINK, made_up)
