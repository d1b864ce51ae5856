"""A reviewer works through the queue with the keys alone, in a browser; the pages hold up for assistive technology."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import expect

from compliance import services
from compliance.models import Review
from compliance.workflow import ReviewState

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]
NARROW = {"width": 390, "height": 844}


@pytest.fixture
def reviews(raise_review):
    """Three waiting reviews, due one day after the other."""
    return [
        raise_review(kind, reference=f"HO-2026-000{place}", due_at=timezone.now() + timedelta(days=place, hours=1))
        for place, kind in enumerate([Review.Kind.BACKUP, Review.Kind.NECESSITY, Review.Kind.AUDIT], start=1)
    ]


def heading(page):
    return page.locator(".queue__work .title")


def opens(page, kind):
    """The review of this kind stands open, and the keys are heard."""
    expect(heading(page)).to_have_text(kind)
    expect(page.locator('[data-keys="on"]')).to_be_visible()


def pointed_at(page):
    return page.locator("a.item:focus .item__meta")


def test_a_reviewer_decides_with_the_keys_alone(page, sign_in, cast, reviews):
    _, necessity, audit = reviews
    sign_in(page, cast.reviewer.email)
    page.get_by_role("link", name="Review queue").click()
    opens(page, "Backup")
    page.keyboard.press("j")
    expect(pointed_at(page)).to_contain_text(necessity.reference)
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(pointed_at(page)).to_contain_text(audit.reference)
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    opens(page, "Necessity")
    page.keyboard.press("c")
    expect(page.get_by_role("button", name="Approve, next")).to_be_visible()
    opens(page, "Necessity")

    # Approving too early says what is missing and keeps what was answered.
    page.keyboard.press("1")
    page.keyboard.press("p")
    expect(page.locator("[data-answered]")).to_have_text("1")
    page.keyboard.press("a")
    expect(page.get_by_role("alert")).to_contain_text("Answer every question of the checklist")
    expect(page.locator('[name="answer-purpose"][value="pass"]')).to_be_checked()
    opens(page, "Necessity")

    for number in "2345":
        page.keyboard.press(number)
        page.keyboard.press("n" if number == "5" else "p")
    expect(page.locator("[data-answered]")).to_have_text("5")
    page.keyboard.press("w")
    page.keyboard.type("Just as needed, ja")
    expect(page.locator('[name="reason"]')).to_have_value("Just as needed, ja")
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    opens(page, "Audit")
    expect(page.get_by_role("status")).to_contain_text(f"Decided: Necessity, {necessity.reference}.")
    stored = Review.objects.get(pk=necessity.pk)
    assert (stored.decision, stored.decided_by, stored.reason) == ("approved", cast.reviewer, "Just as needed, ja")
    assert set(stored.items.values_list("answer", flat=True)) == {"pass", "n/a"}


def test_a_failed_question_asks_what_is_wrong_and_sending_back_is_the_way_forward(page, sign_in, cast, reviews):
    backup, *_ = reviews
    services.claim(actor=cast.reviewer, review=backup, now=timezone.now())
    sign_in(page, cast.reviewer.email)
    page.goto(f"/reviews/{backup.pk}/")
    why, send_back = page.get_by_label("What is wrong: The backup is encrypted"), page.locator('[value="sent_back"]')
    expect(why).to_be_hidden()
    plain = send_back.evaluate("button => getComputedStyle(button).backgroundColor")
    page.keyboard.press("2")
    page.keyboard.press("f")
    expect(why).to_be_focused()
    page.keyboard.type("No key is named.")
    assert send_back.evaluate("button => getComputedStyle(button).backgroundColor") != plain
    page.keyboard.press("Escape")
    page.keyboard.press("w")
    page.keyboard.type("Name the key.")
    page.keyboard.press("Escape")
    page.keyboard.press("s")
    opens(page, "Necessity")
    stored = Review.objects.get(pk=backup.pk)
    assert (stored.decision, stored.reason) == ("sent_back", "Name the key.")
    assert stored.items.get(code="sealed").note == "No key is named."


def test_hits_are_judged_with_the_keys(page, sign_in, cast, screened):
    review = screened("card 6222 0202 0011 2230", "证件 11010519491231002X")
    services.claim(actor=cast.reviewer, review=review, now=timezone.now())
    sign_in(page, cast.reviewer.email)
    page.goto(f"/reviews/{review.pk}/")
    for key in "hyhxv":
        page.keyboard.press(key)
    expect(page.get_by_role("status")).to_contain_text("Saved.")
    assert list(review.screening.hits.values_list("judgment", flat=True)) == ["confirmed", "false_alarm"]


def test_the_keys_can_be_turned_off_and_stay_off(page, sign_in, cast, reviews):
    sign_in(page, cast.reviewer.email)
    page.goto("/reviews/")
    hint = page.locator(".keys kbd").first
    expect(hint).to_be_visible()
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys of the review queue")
    dialog.get_by_text("Use these keys on this device").click()
    dialog.get_by_role("button", name="Close").click()
    expect(hint).to_be_hidden()
    for key in ("j", "?", "c"):
        page.keyboard.press(key)
    expect(dialog).to_be_hidden()
    page.reload()
    page.keyboard.press("j")
    expect(page.locator("a.item:focus")).to_have_count(0)
    expect(page.locator(".keys kbd").first).to_be_hidden()
    page.get_by_role("button", name="All keys, or turn them off").click()
    dialog.get_by_text("Use these keys on this device").click()
    dialog.get_by_role("button", name="Close").click()
    page.keyboard.press("j")
    expect(pointed_at(page)).to_contain_text("HO-2026-0002")


def test_letters_typed_into_a_field_are_letters(page, sign_in, cast, reviews):
    services.claim(actor=cast.reviewer, review=reviews[0], now=timezone.now())
    sign_in(page, cast.reviewer.email)
    page.goto(f"/reviews/{reviews[0].pk}/")
    page.keyboard.press("/")
    page.keyboard.type("arsuvc")
    expect(page.get_by_label("Filter reviews")).to_have_value("arsuvc")
    # Enter in a field of the work saves; it never decides.
    page.get_by_text("Add a finding").click()
    page.get_by_label("How severe").select_option("note")
    page.get_by_label("New finding").fill("Well written.")
    page.locator('[name="answer-complete"][value="pass"]').press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Saved.")
    assert Review.objects.get(pk=reviews[0].pk).state == ReviewState.CLAIMED
    assert reviews[0].findings.get().text == "Well written."


def test_on_a_phone_the_list_leads_to_the_work_and_back(new_page, sign_in, cast, reviews):
    page = new_page(viewport=NARROW, has_touch=True, is_mobile=True)
    sign_in(page, cast.reviewer.email)
    page.goto("/reviews/?kind=necessity")
    expect(heading(page)).to_be_hidden()
    expect(page.locator(".keys")).to_be_hidden()
    page.get_by_role("link", name=re.compile("Necessity")).click()
    opens(page, "Necessity")
    expect(page.locator("a.item").first).to_be_hidden()
    page.get_by_role("button", name="Claim this review").click()
    expect(page.get_by_role("button", name="Approve, next")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    page.get_by_role("link", name="Review queue").click()
    expect(page).to_have_url(re.compile(r"/reviews/\?kind=necessity$"))
    expect(page.locator("a.item")).to_have_count(1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(new_page, sign_in, cast, reviews, screened, scheme):
    review = screened("card 6222 0202 0011 2230")
    page = new_page(color_scheme=scheme, viewport={"width": 1280, "height": 900})
    sign_in(page, cast.reviewer.email)
    answered = services.Work(
        answers={"illegal": services.Answered("fail", "Two notes.")},
        findings=[services.Noticed("major", "No consent.")],
    )
    for path, prepare in [
        ("/reviews/", lambda: None),
        (f"/reviews/{review.pk}/", lambda: None),
        (f"/reviews/{review.pk}/", lambda: take(cast, review, answered)),
        (f"/reviews/{review.pk}/?show=decided&q={uuid4()}", lambda: refuse(cast, review)),
    ]:
        prepare()
        page.goto(path)
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
    page.keyboard.press("?")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def take(cast, review, work):
    services.claim(actor=cast.reviewer, review=review, work=work, now=timezone.now())


def refuse(cast, review):
    services.decide(actor=cast.reviewer, review=review, decision="refused", reason="No consent.", now=timezone.now())
