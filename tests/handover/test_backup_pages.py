"""Gate 4 in the browser: who starts the backup, what everybody reads of it, and the screening beside it."""

import re

import pytest
from django.core.files.storage import default_storage
from django.urls import reverse
from django.utils import timezone
from stand import watched

from compliance.models import Review
from compliance.services import claim, decide
from compliance.workflow import Decision
from customers.workflow import BookState
from handover import demo
from handover.models import Backup
from handover.segments import Place
from handover.services import backing_up, screening
from handover.services.reviewing import live_review
from handover.workflow import BackupState, StepKind, StepState

SEES = ("seller_lead", "seller_clerk", "buyer_lead", "buyer_clerk", "reviewer", "agent")


def page_of(client, stand, **headers):
    return client.get(reverse("handover:backup", args=[stand.handover.pk]), headers=headers)


def post(client, stand, name, follow=True):
    return client.post(reverse(f"handover:{name}", args=[stand.handover.pk]), follow=follow)


def text_of(response):
    return re.sub(r"\s+", " ", response.content.decode())


@pytest.fixture
def gate(open_at):
    return open_at(StepKind.BACKUP, customers=3)


@pytest.fixture
def started(gate):
    demo.start_backup(gate.demo)
    return gate


@pytest.fixture
def proven(gate):
    gate.back_up()
    demo.run_job(demo.screening_job(gate.demo))
    return gate


def test_everybody_of_the_handover_reads_the_page(gate, actors, client_of):
    for name in SEES:
        response = page_of(client_of(actors[name]), gate)
        assert response.status_code == 200
        assert "is frozen: nothing is imported or changed in it" in text_of(response)
        assert ("back up 3 customers" in text_of(response)) == (name == "seller_clerk")


def test_strangers_find_nothing(gate, actors, client_of, client):
    assert page_of(client_of(actors["stranger"]), gate).status_code == 404
    assert post(client_of(actors["stranger"]), gate, "backup_start").status_code == 404
    assert page_of(client, gate).status_code == 302
    assert post(client, gate, "backup_start", follow=False).status_code == 302
    assert (
        client_of(actors["seller_clerk"]).get(reverse("handover:backup_start", args=[gate.handover.pk])).status_code
        == 405
    )


def test_the_clerk_starts_it(gate, cast, client_of):
    response = post(client_of(cast.seller_clerk), gate, "backup_start")
    assert response.redirect_chain == [(reverse("handover:backup", args=[gate.handover.pk]), 302)]
    assert "The book is frozen and the backup has begun." in text_of(response)
    assert gate.handover.book.state == BookState.FROZEN
    assert Backup.objects.get(handover=gate.handover).state == BackupState.WRITING


def test_others_are_told_why_not_and_nothing_changes(gate, actors, client_of):
    before = watched()
    text = text_of(post(client_of(actors["seller_lead"]), gate, "backup_start"))
    assert "You are the only lead of your side, and nobody approves what they wrote." in text
    for name in ("buyer_lead", "buyer_clerk", "reviewer", "agent"):
        text = text_of(post(client_of(actors[name]), gate, "backup_start"))
        assert "Only people of these sides can do this: Seller." in text
    assert watched() == before


def test_an_empty_book_says_what_to_do(open_at, cast, client_of):
    empty = open_at(StepKind.BACKUP, customers=0)
    assert "Import a file first, then start the backup." in text_of(
        post(client_of(cast.seller_clerk), empty, "backup_start")
    )


def test_it_cannot_be_started_twice(started, cast, client_of):
    before = watched()
    assert "is now: Running" in text_of(post(client_of(cast.seller_clerk), started, "backup_start"))
    assert watched() == before


def test_while_it_runs_the_seller_watches_the_jobs(started, cast, client_of):
    text = text_of(page_of(client_of(cast.seller_lead), started))
    backup = Backup.objects.get(handover=started.handover)
    assert f'hx-get="{reverse("jobs:panel", args=[backup.write_job_id])}"' in text
    assert f'hx-get="{reverse("jobs:panel", args=[demo.screening_job(started.demo).pk])}"' in text
    assert "Freeze the book" not in text
    demo.run_job(backup.write_job)
    backup.refresh_from_db()
    text = text_of(page_of(client_of(cast.seller_lead), started))
    assert f'id="job-{backup.write_job_id}"' in text
    assert f'hx-get="{reverse("jobs:panel", args=[backup.restore_job_id])}"' in text


def test_who_may_not_watch_the_job_asks_whether_it_has_ended(started, cast, client_of):
    """The job belongs to the seller: its panel would be a 404 every second."""
    backup, asked = Backup.objects.get(handover=started.handover), {}
    for person in (cast.buyer_lead, cast.reviewer):
        client = client_of(person)
        text = text_of(page_of(client, started))
        assert reverse("jobs:panel", args=[backup.write_job_id]) not in text
        asked[client] = re.search(r'hx-get="([^"]*\?seen=[^"]*)" hx-trigger="every 5s"', text)[1]
        unchanged = client.get(asked[client], headers={"HX-Request": "true"})
        assert (unchanged.status_code, unchanged.content, unchanged.get("HX-Refresh")) == (204, b"", None)
    demo.run_job(backup.write_job)
    for client, address in asked.items():
        changed = client.get(address, headers={"HX-Request": "true"})
        assert (changed.status_code, changed["HX-Refresh"]) == (204, "true")
        assert client.get(address).status_code == 200, "without htmx it is the page"


def test_the_proof_is_there_for_everybody(proven, actors, client_of):
    backup = Backup.objects.get(handover=proven.handover)
    for name in SEES:
        text = text_of(page_of(client_of(actors[name]), proven))
        assert text.count(bytes(backup.root).hex()) == 2
        assert text.count('class="rootmark"') == 2
        assert "Both roots are equal" in text
        assert "<dt>Customers</dt><dd>3</dd>" in text
        assert f"<dt>Purchases</dt><dd>{backup.counts['purchases']}</dd>" in text
        assert "<dt>Habits</dt><dd>3</dd>" in text
        sees_jobs = name in {"seller_lead", "seller_clerk", "agent"}
        assert (reverse("jobs:detail", args=[backup.write_job_id]) in text) == sees_jobs


def test_it_shows_what_was_screened_and_the_way_to_its_review(proven, cast, client_of):
    review = Review.objects.get(kind="content")
    text = text_of(page_of(client_of(cast.buyer_lead), proven))
    assert "<dt>Customers read</dt><dd>3</dd>" in text
    assert "<dt>Identity number</dt><dd>0</dd>" in text
    assert "The review is not decided yet" in text
    assert reverse("compliance:review", args=[review.pk]) in text
    demo.approve_content(proven.demo)
    text = text_of(page_of(client_of(cast.seller_clerk), proven))
    assert "Review approved" in text
    assert "He Rui" in text


def test_the_leads_and_the_reviewer_are_led_to_their_approval(proven, cast, client_of):
    text = text_of(page_of(client_of(cast.seller_lead), proven))
    assert reverse("handover:approve", args=[proven.handover.pk, "backup"]) in text
    review = live_review(proven.step(StepKind.BACKUP))
    assert reverse("compliance:review", args=[review.pk]) in text_of(page_of(client_of(cast.reviewer), proven))


def test_a_failed_backup_says_what_was_wrong_and_can_be_done_again(started, cast, client_of):
    backup = Backup.objects.select_related("write_job").get(handover=started.handover)
    demo.run_job(backup.write_job)
    default_storage.delete(Place(backup.pk, 0).path)
    backup.refresh_from_db()
    with pytest.raises(demo.DemoStopped):
        demo.run_job(backup.restore_job)
    text = text_of(page_of(client_of(cast.seller_clerk), started))
    assert "Backups that failed" in text
    assert "Part 1 of the backup is missing or was changed." in text
    assert "back up 3 customers" in text
    assert "The proven backup" not in text
    post(client_of(cast.seller_clerk), started, "backup_start")
    assert started.step(StepKind.BACKUP).state == StepState.RUNNING
    assert Backup.objects.filter(handover=started.handover).count() == 2


def test_it_counts_the_customers_that_differ(started, cast, client_of):
    Backup.objects.filter(handover=started.handover).update(
        state=BackupState.FAILED, problem="2 customers were not restored as they were.", differences=["a", "b"]
    )
    text = text_of(page_of(client_of(cast.buyer_clerk), started))
    assert re.search(r'data-label="Customers that differ">2</td>', text)


def _sent_back(stand):
    review = screening.review_of(screening.latest_screening(stand.handover))
    reviewer = stand.cast.second_reviewer
    claim(actor=reviewer, review=review, now=review.raised_at)
    decide(
        actor=reviewer,
        review=review,
        decision=Decision.SENT_BACK,
        reason="Two notes name an illness.",
        now=review.raised_at,
        work=demo._answers(review),
    )


def test_after_a_review_that_was_sent_back_the_seller_screens_again(proven, cast, client_of):
    _sent_back(proven)
    text = text_of(page_of(client_of(cast.buyer_lead), proven))
    assert "Two notes name an illness." in text
    assert "The seller’s people start the screening again." in text
    assert reverse("handover:screen_again", args=[proven.handover.pk]) not in text
    assert reverse("handover:screen_again", args=[proven.handover.pk]) in text_of(
        page_of(client_of(cast.seller_clerk), proven)
    )
    before = watched()
    refused = post(client_of(cast.buyer_lead), proven, "screen_again")
    assert "Only people of the seller start the screening again." in text_of(refused)
    assert watched() == before
    assert "The screening has begun." in text_of(post(client_of(cast.seller_clerk), proven, "screen_again"))
    assert screening.latest_screening(proven.handover).state == "running"


def test_no_screening_again_while_one_waits_for_its_review(proven, actors, client_of):
    before = watched()
    text = text_of(post(client_of(actors["seller_lead"]), proven, "screen_again"))
    assert "The screening is running, waits for its review, or is approved." in text
    assert watched() == before
    assert post(client_of(actors["stranger"]), proven, "screen_again").status_code == 404


@pytest.mark.parametrize("name", ["write_job", "restore_job"])
def test_canceling_says_what_is_true_of_a_nightly_backup_too(gate, client_of, name):
    backing_up.back_up_books(now=timezone.now())
    backup = Backup.objects.get(handover=None)
    if name == "restore_job":
        demo.run_job(backup.write_job)
        backup.refresh_from_db()
    address = reverse("jobs:cancel", args=[getattr(backup, name).pk])
    page = client_of(gate.cast.seller_lead).get(address).content.decode()
    assert "If it was made for a handover, gate 4 is open again" in page
