"""Gate 6 in the browser: the sample side by side, masked, for the three sides alone; and every gate in the queue."""

import re

import pytest
from django.urls import reverse
from stand import people

from compliance.models import Review
from customers.models import Customer
from handover import demo
from handover.models import Execution
from handover.services.reviewing import live_review
from handover.workflow import StepKind

SIDES = ("seller_lead", "seller_clerk", "buyer_lead", "buyer_clerk", "reviewer", "second_reviewer")
CUSTOMERS = 13


def url(stand):
    return reverse("handover:audit", args=[stand.handover.pk])


def text_of(response):
    return re.sub(r"\s+", " ", response.content.decode())


@pytest.fixture
def gate(open_at):
    return open_at(StepKind.AUDIT, customers=CUSTOMERS)


def test_people_of_the_three_sides_compare_ten_records_a_page(gate, actors, client_of):
    for name in SIDES:
        client = client_of(actors[name])
        first, second = text_of(client.get(url(gate))), text_of(client.get(url(gate), {"page": 2}))
        assert "13 sampled records" in first
        assert re.findall(r"<h3>Record (\d+)</h3>", first) == [str(number) for number in range(1, 11)]
        assert re.findall(r"<h3>Record (\d+)</h3>", second) == ["11", "12", "13"]
        assert first.count("Equal in every agreed field") == 10
    assert text_of(client.get(url(gate), {"page": "x"})).count("<h3>Record") == 10


def test_the_agency_sees_the_counts_but_no_record(gate, actors, client_of):
    text = text_of(client_of(actors["agent"]).get(url(gate)))
    assert "Read back equal" in text
    assert "shown only to people of the seller, the buyer and the reviewer" in text
    assert "<h3>Record" not in text
    assert "KD00000" not in text


def test_strangers_find_nothing(gate, actors, client_of, client):
    assert client_of(actors["stranger"]).get(url(gate)).status_code == 404
    assert client.get(url(gate)).status_code == 302


def test_no_value_is_shown_in_full(gate, cast, client_of):
    client = client_of(cast.reviewer)
    shown = text_of(client.get(url(gate))) + text_of(client.get(url(gate), {"page": 2}))
    for person in people(CUSTOMERS):
        number, *others = person.basic
        assert number in shown, "the number is how a person finds the record again"
        for value in filter(None, [*others, *person.habit, *(line[1] for line in person.purchases)]):
            assert value not in shown


def test_what_stays_is_said_so_and_the_scope_is_beside_it(gate, cast, client_of):
    text = text_of(client_of(cast.buyer_lead).get(url(gate)))
    notes = re.findall(r'<th scope="row" data-label="Field">Note</th>(.*?)</tr>', text)
    assert len(notes) == 10
    assert all("Stays" in row and "Equal" not in row for row in notes)
    assert "Agreed scope" in text
    assert "Customer number, Name, Phone, E-mail, Address" in text


def test_purchases_that_are_not_shown_are_counted(gate, cast, client_of, monkeypatch):
    monkeypatch.setattr("handover.services.auditing.SHOWN_PURCHASES", 1)
    text = text_of(client_of(cast.reviewer).get(url(gate)))
    assert "2 are not shown, but were compared too." in text
    assert "1 is not shown, but was compared too." in text


def test_a_difference_stands_out_in_words(gate, cast, client_of):
    execution = Execution.objects.get(handover=gate.handover)
    chosen = execution.sample.get(position=2)
    Customer.objects.filter(pk=chosen.target_customer).update(phone=None)
    text = text_of(client_of(cast.reviewer).get(url(gate)))
    record = text.split("<h3>Record 2</h3>")[1].split("<h3>Record 3</h3>")[0]
    phone = re.search(r'data-label="Field">Phone</th>(.*?)</tr>', record)[1]
    assert "Differs" in phone
    assert "tag--stop" in phone
    assert "Equal in every agreed field" not in record
    assert text.count("Equal in every agreed field") == 9


def test_the_reviewers_find_the_way_to_the_review(gate, cast, client_of):
    address = reverse("compliance:review", args=[live_review(gate.step(StepKind.AUDIT)).pk])
    for reviewer in (cast.reviewer, cast.second_reviewer):
        assert f'href="{address}"' in text_of(client_of(reviewer).get(url(gate)))


def test_after_the_certificate_nobody_looks_into_the_other_book_any_more(gate, cast, client_of):
    demo.pass_audit(gate.demo)
    for name in SIDES:
        text = text_of(client_of(getattr(cast, name)).get(url(gate)))
        assert "The comparison closed with the gate" in text
        assert "<h3>Record" not in text
        assert reverse("handover:certificate", args=[gate.handover.pk]) in text


def test_before_the_execution_the_page_says_that_it_is_shut(open_at, cast, client_of):
    stand = open_at(StepKind.BACKUP, customers=2)
    text = text_of(client_of(cast.reviewer).get(url(stand)))
    assert "is not open yet" in text
    assert "sampled" not in text


SUMMARIES = [
    (StepKind.NECESSITY, "necessity", "Continue deliveries, warranty and returns"),
    (StepKind.PLAN, "plan", "Succession with notice (PIPL 22)"),
    (StepKind.BACKUP, "backup", "Root of the test restore"),
    (StepKind.BACKUP, "content", "Notes and addresses of 2 customers"),
    (StepKind.AUDIT, "audit", "Compare 2 sampled records side by side"),
]


@pytest.mark.parametrize(("kind", "review", "says"), SUMMARIES, ids=[review for _kind, review, _says in SUMMARIES])
def test_the_review_queue_shows_what_is_reviewed(open_at, cast, client_of, kind, review, says):
    stand = open_at(kind, customers=2)
    if kind == StepKind.NECESSITY:
        demo.pass_necessity(stand.demo)
    elif kind == StepKind.PLAN:
        demo.submit_plan(stand.demo)
    elif kind == StepKind.BACKUP:
        stand.back_up()
        demo.run_job(demo.screening_job(stand.demo))
    found = Review.objects.get(kind=review)
    for person in (cast.reviewer, cast.seller_lead, cast.buyer_clerk):
        response = client_of(person).get(reverse("compliance:review", args=[found.pk]))
        assert response.status_code == 200
        assert says in text_of(response)
