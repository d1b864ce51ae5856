"""A handover at a glance, what blocks it with the way to the cure, and stopping it."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from stand import Stand

from accounts.demo import Cast
from accounts.models import Membership, User
from handover import demo
from handover.blockers import Blocker, blockers_of, is_hindered
from handover.gates import Board, gates_of
from handover.models import Backup, Handover, TransferPlan
from handover.selectors import handovers_visible_to, live_reviews, steps_of, with_gates
from handover.services import approving, backing_up, executing
from handover.workflow import ORDER, HandoverState, Side, StepKind, StepState

ClientOf = Callable[..., Client]
OpenAt = Callable[..., Stand]
PEOPLE = ("seller_lead", "seller_clerk", "buyer_lead", "buyer_clerk", "reviewer", "agent")


def board(stand: Stand, user: User) -> Board:
    handover = with_gates(handovers_visible_to(user)).get(pk=stand.handover.pk)
    # A request has its own instance of the person; memberships are remembered with it.
    reviews, hindered = live_reviews(steps_of(handover)), is_hindered(handover, timezone.now())
    return Board(handover, User.objects.get(pk=user.pk), reviews, hindered)


def blockers(stand: Stand, user: User) -> list[Blocker]:
    return blockers_of(board(stand, user), timezone.now())


def titles(stand: Stand, user: User) -> list[str]:
    return [blocker.title for blocker in blockers(stand, user)]


@pytest.mark.parametrize("kind", ORDER)
def test_the_gates_before_have_passed_and_the_ones_behind_are_shut(
    kind: StepKind, open_at: OpenAt, cast: Cast, client_of: ClientOf
) -> None:
    stand = open_at(kind, customers=3)
    gates, place = gates_of(board(stand, cast.seller_lead)), ORDER.index(kind)
    assert [gate.state == StepState.PASSED for gate in gates] == [number < place for number in range(6)]
    assert [gate.now for gate in gates] == [number == place for number in range(6)]
    assert {gate.state for gate in gates[place + 1 :]} <= {StepState.SHUT}
    for name in PEOPLE:
        response = client_of(getattr(cast, name)).get(f"/handovers/{stand.handover.pk}/")
        page = response.content.decode()
        assert response.status_code == 200
        assert page.count('aria-current="step"') == 1
        assert page.count("btn--primary") <= 1, "one primary button a view"
        for one in ORDER:
            assert f'href="/handovers/{stand.handover.pk}/{one}/"' in page


@pytest.mark.parametrize("kind", ORDER)
def test_every_blocker_has_a_cure_that_its_reader_may_open(
    kind: StepKind, open_at: OpenAt, cast: Cast, client_of: ClientOf
) -> None:
    stand = open_at(kind, customers=3)
    for name in PEOPLE:
        user, client = getattr(cast, name), client_of(getattr(cast, name))
        found = blockers(stand, user)
        assert found, f"gate {kind} is open and waits for somebody"
        for blocker in found:
            assert blocker.title
            assert blocker.cure_label
            assert client.get(blocker.cure_url).status_code == 200, (name, blocker)


def test_who_can_act_is_named_and_comes_first(open_at: OpenAt, cast: Cast) -> None:
    stand = open_at(StepKind.PLAN)
    demo.submit_plan(stand.demo)
    mine = blockers(stand, cast.buyer_lead)
    assert mine[0].title == "The buyer has not approved the plan yet"
    assert mine[0].by == "Waits for Wu Jiayi (you)"
    assert mine[0].cure_url == f"/handovers/{stand.handover.pk}/plan/approve/"
    assert [blocker.yours for blocker in mine] == [True, False, False]
    theirs = blockers(stand, cast.seller_clerk)
    assert {blocker.by for blocker in theirs} == {
        "Waits for Zhao Min",
        "Waits for Wu Jiayi",
        "Waits for He Rui or Lin Shuyi",
    }
    assert not any(blocker.yours for blocker in theirs)


def test_the_reviewer_is_led_to_the_review(open_at: OpenAt, cast: Cast) -> None:
    stand = open_at(StepKind.PLAN)
    demo.submit_plan(stand.demo)
    first = blockers(stand, cast.reviewer)[0]
    assert first.yours
    assert re.fullmatch(r"/reviews/[0-9a-f-]{36}/", first.cure_url)


def test_what_was_sent_back_says_by_whom_and_why(open_at: OpenAt, cast: Cast, client_of: ClientOf) -> None:
    stand = open_at(StepKind.PLAN)
    demo.submit_plan(stand.demo)
    step = stand.step(StepKind.PLAN)
    approving.send_back(
        actor=cast.buyer_lead, step=step, side=Side.BUYER, reason="Ten years is too long.", now=timezone.now()
    )
    assert "Wu Jiayi sent it back" in titles(stand, cast.seller_clerk)
    page = client_of(cast.seller_clerk).get(f"/handovers/{stand.handover.pk}/").content.decode()
    assert "Ten years is too long." in page
    assert "Chen Guoqiang (you) changes it and submits it again" in page


def test_what_any_of_several_may_do_is_one_blocker(open_at: OpenAt, cast: Cast) -> None:
    stand = open_at(StepKind.SCOPE)
    [found] = blockers(stand, cast.buyer_clerk)
    assert found.title == "No version of the scope is on the table"
    assert found.by == "Waits for Sun Hao (you) or Chen Guoqiang"
    assert found.yours
    [theirs] = blockers(stand, cast.reviewer)
    assert not theirs.yours


def test_a_day_in_the_future_waits_for_the_calendar(open_at: OpenAt, cast: Cast) -> None:
    stand = open_at(StepKind.BACKUP)
    TransferPlan.objects.filter(handover=stand.handover).update(starts_on=timezone.localdate() + timedelta(days=9))
    found = next(one for one in blockers(stand, cast.buyer_clerk) if "at the earliest" in one.title)
    assert found.soft
    assert found.cure_url == f"/handovers/{stand.handover.pk}/plan/"


def test_the_day_of_the_whole_handover_that_has_passed_is_said(
    open_at: OpenAt, cast: Cast, client_of: ClientOf
) -> None:
    stand = open_at()
    Handover.objects.update(due_on=timezone.localdate() - timedelta(days=1))
    assert any("was to be completed by" in title for title in titles(stand, cast.agent))
    assert "1 Necessity, late" in client_of(cast.agent).get("/handovers/").content.decode()


def test_an_empty_book_leads_the_seller_to_the_import(open_at: OpenAt, cast: Cast) -> None:
    stand = open_at(customers=0)
    title = "The book “Members of the shop” has no customers"
    mine = next(one for one in blockers(stand, cast.seller_clerk) if one.title == title)
    assert mine.cure_url == f"/books/{stand.handover.book_id}/import/"
    theirs = next(one for one in blockers(stand, cast.buyer_clerk) if one.title == title)
    assert theirs.cure_url == f"/handovers/{stand.handover.pk}/necessity/"


def test_free_text_that_is_not_cleared_is_cured_by_the_reviewer(open_at: OpenAt, cast: Cast) -> None:
    stand = open_at(StepKind.BACKUP)
    stand.back_up()
    demo.run_job(demo.screening_job(stand.demo))
    title = "The free text of the book is not cleared for gate 5 yet"
    mine = next(one for one in blockers(stand, cast.reviewer) if one.title == title)
    assert mine.yours
    assert mine.cure_url.startswith("/reviews/")
    theirs = next(one for one in blockers(stand, cast.seller_lead) if one.title == title)
    assert theirs.cure_url == f"/handovers/{stand.handover.pk}/backup/"
    assert not theirs.yours


def test_a_start_that_would_be_refused_is_not_yours(open_at: OpenAt, cast: Cast, client_of: ClientOf) -> None:
    stand = open_at(StepKind.EXECUTION)
    assert [one.yours for one in blockers(stand, cast.seller_lead)] == [True, False]
    TransferPlan.objects.filter(handover=stand.handover).update(starts_on=timezone.localdate() + timedelta(days=9))
    assert not any(one.yours for one in blockers(stand, cast.seller_lead))
    page = client_of(cast.seller_lead).get(f"/handovers/{stand.handover.pk}/").content.decode()
    assert "Zhao Min (you) gives the start when nothing stands in the way" in page
    assert "btn--primary" not in page


def test_a_failed_backup_is_said_with_its_reason(open_at: OpenAt, cast: Cast) -> None:
    stand = open_at(StepKind.BACKUP)
    backup = Backup.objects.get(pk=demo.start_backup(stand.demo))
    backing_up.fail(backup=backing_up.lock(backup.pk), problem="The storage is full.", now=timezone.now())
    found = next(one for one in blockers(stand, cast.seller_clerk) if one.title == "The last backup failed")
    assert found.why == "The storage is full."
    assert found.cure_url == f"/handovers/{stand.handover.pk}/backup/"


def test_an_undone_transfer_is_said_with_its_reason(open_at: OpenAt, cast: Cast) -> None:
    stand = open_at(StepKind.AUDIT)
    executing.roll_back(actor=None, handover=stand.handover, reason="The target was wrong.", now=timezone.now())
    found = next(one for one in blockers(stand, cast.buyer_clerk) if one.title == "The last transfer was undone")
    assert found.why == "The target was wrong."


def test_a_side_without_a_lead_is_said_and_not_passed_over(open_at: OpenAt, cast: Cast) -> None:
    stand = open_at(StepKind.SCOPE)
    demo.propose_scope(stand.demo)
    Membership.objects.filter(user=cast.buyer_lead).delete()
    found = next(one for one in blockers(stand, cast.seller_lead) if "buyer" in one.title)
    assert "Nobody at Lanquan Home Care may do this." in found.why
    assert found.cure_url


def test_the_certified_one_shows_its_certificate_and_equal_roots(
    open_at: OpenAt, cast: Cast, client_of: ClientOf
) -> None:
    stand = open_at(StepKind.AUDIT, customers=3)
    stand.pass_gate(StepKind.AUDIT)
    page = client_of(cast.buyer_clerk).get(f"/handovers/{stand.handover.pk}/").content.decode()
    assert f"/handovers/{stand.handover.pk}/certificate/" in page
    assert "everything arrived unchanged" in page
    assert page.count('class="rootmark"') == 3
    assert "This handover was certified on" in page
    assert "/stop/" not in page
    assert blockers(stand, cast.seller_lead) == []


def test_what_crosses_is_named_by_field_before_and_counted_after(
    open_at: OpenAt, cast: Cast, client_of: ClientOf
) -> None:
    stand = open_at(StepKind.SCOPE, customers=3)
    client = client_of(cast.buyer_clerk)
    address = f"/handovers/{stand.handover.pk}/"
    assert "Nothing yet: both sides agree field by field at gate 2." in client.get(address).content.decode()
    demo.propose_scope(stand.demo, frozenset({"basic.note", "habits.frequency"}))
    page = client.get(address).content.decode()
    assert "Scope version 1, not agreed yet" in page
    assert "Customer number, Name, Phone, E-mail, Address" in page
    assert "Preferred products, Preferences" in page
    assert "Records arrived" not in page


def test_no_value_of_a_customer_is_on_the_page(open_at: OpenAt, cast: Cast, client_of: ClientOf) -> None:
    stand = open_at(StepKind.AUDIT, customers=3)
    for name in PEOPLE:
        page = client_of(getattr(cast, name)).get(f"/handovers/{stand.handover.pk}/").content.decode()
        for text in ("韩梅梅", "平江路", "mail.example", "13955", "浓缩洗衣液", "周末送货"):
            assert text not in page


# ---- stopping


@pytest.mark.parametrize("who", ["seller_lead", "buyer_lead", "agent", "reviewer"])
def test_leads_the_reviewer_and_the_agency_stop_it_for_good(
    who: str, open_at: OpenAt, cast: Cast, client_of: ClientOf
) -> None:
    stand = open_at(StepKind.SCOPE)
    client, address = client_of(getattr(cast, who)), f"/handovers/{stand.handover.pk}/stop/"
    assert "It cannot be undone." in client.get(address).content.decode()
    response = client.post(address, {"reason": "The buyer withdrew."}, follow=True)
    assert stand.handover.state == HandoverState.STOPPED
    page = response.content.decode()
    assert "The buyer withdrew." in page
    assert "stopped this handover on" in page
    assert f"{address}" not in page


def test_stopping_asks_for_a_reason(open_at: OpenAt, cast: Cast, client_of: ClientOf) -> None:
    stand = open_at()
    response = client_of(cast.seller_lead).post(f"/handovers/{stand.handover.pk}/stop/", {"reason": "  "})
    assert response.status_code == 422
    assert "Write why it is stopped." in response.content.decode()
    assert stand.handover.state == HandoverState.OPEN


@pytest.mark.parametrize("who", ["seller_clerk", "buyer_clerk"])
def test_others_do_not_stop_it(who: str, open_at: OpenAt, cast: Cast, client_of: ClientOf) -> None:
    stand = open_at()
    client, address = client_of(getattr(cast, who)), f"/handovers/{stand.handover.pk}/stop/"
    assert client.get(address)["Location"] == f"/handovers/{stand.handover.pk}/"
    page = client.post(address, {"reason": "No."}).content.decode()
    assert "Only leads of the seller or the buyer, the reviewer and the agency stop a handover." in page
    assert stand.handover.state == HandoverState.OPEN
    assert "Stop this handover" not in client.get(f"/handovers/{stand.handover.pk}/").content.decode()


def test_a_closed_one_is_only_read(open_at: OpenAt, cast: Cast, client_of: ClientOf) -> None:
    stand = open_at(StepKind.SCOPE)
    demo.propose_scope(stand.demo)
    lead = client_of(cast.seller_lead)
    lead.post(f"/handovers/{stand.handover.pk}/stop/", {"reason": "The sale fell through."})
    for kind in ORDER:
        page = lead.get(f"/handovers/{stand.handover.pk}/{kind}/").content.decode()
        assert "The sale fell through." in page, kind
        assert "btn--primary" not in page, kind
    clerk = client_of(cast.seller_clerk)
    page = clerk.post(f"/handovers/{stand.handover.pk}/necessity/", {"purpose": "Later", "basic": "x", "submit": "1"})
    assert "This handover is closed." in page.content.decode()
    assert "Later" in page.content.decode()
    digest = bytes(stand.step(StepKind.SCOPE).digest).hex() or "0" * 64
    lead.post(f"/handovers/{stand.handover.pk}/scope/approve/", {"digest": digest})
    assert not stand.step(StepKind.SCOPE).approvals.filter(voided_at=None).exists()


def test_a_book_of_the_seller_is_no_link_for_the_buyer(open_at: OpenAt, cast: Cast, client_of: ClientOf) -> None:
    stand = open_at()
    link = f'href="/books/{stand.handover.book_id}/"'
    assert link in client_of(cast.seller_clerk).get(f"/handovers/{stand.handover.pk}/").content.decode()
    assert link not in client_of(cast.buyer_lead).get(f"/handovers/{stand.handover.pk}/").content.decode()


def test_a_running_job_is_watched_by_those_it_concerns(open_at: OpenAt, cast: Cast, client_of: ClientOf) -> None:
    stand = open_at(StepKind.BACKUP)
    backup = Backup.objects.get(pk=demo.start_backup(stand.demo))
    panel = f"/jobs/{backup.write_job_id}/panel/"
    assert panel in client_of(cast.seller_clerk).get(f"/handovers/{stand.handover.pk}/").content.decode()
    assert panel not in client_of(cast.buyer_lead).get(f"/handovers/{stand.handover.pk}/").content.decode()


def test_who_may_not_watch_the_transfer_is_told_that_it_runs(open_at: OpenAt, cast: Cast, client_of: ClientOf) -> None:
    stand = open_at(StepKind.EXECUTION)
    execution = demo.start_execution(stand.demo)
    panel, address = f"/jobs/{execution.transfer_job_id}/panel/", f"/handovers/{stand.handover.pk}/"
    assert panel in client_of(cast.buyer_clerk).get(address).content.decode()
    page = client_of(cast.reviewer).get(address).content.decode()
    assert panel not in page
    assert "The platform works on this gate." in page
    assert "The platform; nobody needs to act" in page
    asks = {"seen": "execution-running"}
    htmx = {"HX-Request": "true"}
    assert "HX-Refresh" not in client_of(cast.reviewer).get(address, asks, headers=htmx)
    demo.run_job(execution.transfer_job)
    execution.refresh_from_db()
    demo.run_job(execution.verify_job)
    assert client_of(cast.reviewer).get(address, asks, headers=htmx)["HX-Refresh"] == "true"
