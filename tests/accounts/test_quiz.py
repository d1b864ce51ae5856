"""The questions of a course: graded on the server, tried as often as needed, every try recorded."""

import html
from dataclasses import replace
from datetime import date

import pytest
from clearing import forget_everything
from django.utils import timezone

from accounts.courses import courses
from accounts.errors import AccountsError
from accounts.models import Completion
from accounts.services import take_quiz
from ledger.models import Entry

pytestmark = pytest.mark.django_db


def answers(code, wrong=0, shift=0):
    """All right but the first `wrong`."""
    questions = courses()[code].questions
    return {
        place: (one.right + 1) % len(one.answers) if place < wrong else one.right for place, one in enumerate(questions)
    }


def form(code, wrong=0):
    return {f"q{place + 1}": answer for place, answer in answers(code, wrong).items()}


@pytest.fixture
def person(cast):
    forget_everything(cast.seller_clerk)
    return cast.seller_clerk


@pytest.mark.parametrize(("code", "wrong", "passes"), [("law", 2, True), ("law", 3, False), ("maintenance", 1, True)])
def test_the_pass_mark(person, now, code, wrong, passes):
    marked = take_quiz(actor=person, course=courses()[code], answers=answers(code, wrong), now=now)
    assert marked.wrong == list(range(1, wrong + 1))
    assert bool(marked.completion) is passes is Completion.objects.filter(user=person).exists()
    entry = Entry.objects.get(actor=person.pk, verb="course.passed" if passes else "course.failed")
    assert (entry.data["course"], entry.data["wrong"]) == (code, marked.wrong)
    assert "right_answers" not in entry.data


def test_a_pass_counts_for_twelve_months(person, now):
    made = take_quiz(actor=person, course=courses()["law"], answers=answers("law"), now=now).completion
    assert (made.expires_on, made.version, made.right, made.questions) == (date(2027, 11, 24), 1, 10, 10)
    assert made.passed_at == now


@pytest.mark.parametrize("bad", [{0: 9}, {0: None}, {0: -1}])
def test_a_try_needs_every_answer(person, now, bad):
    given = {place: answer for place, answer in {**answers("law"), **bad}.items() if answer is not None}
    with pytest.raises(AccountsError, match="Answer every question"):
        take_quiz(actor=person, course=courses()["law"], answers=given, now=now)
    assert not Entry.objects.filter(actor=person.pk).exists()


def test_a_failed_try_names_the_wrong_questions_and_lets_one_try_again(person, client_of):
    client = client_of(person)
    page = client.post("/courses/law/questions/", form("law", wrong=3))
    assert page.status_code == 422
    text = page.content.decode()
    assert "Not passed: 3 answers were not right" in text
    assert text.count("This answer is not right") == 6  # in the summary and at the question
    failed = page.context["form"]
    assert set(failed.errors) == {"q1", "q2", "q3"}
    for place, answer in answers("law", 3).items():
        assert f'name="q{place + 1}" value="{answer}"' in text.replace(' class=""', "")
    done = client.post("/courses/law/questions/", form("law"))
    completion = Completion.objects.get(user=person)
    assert done.url == f"/courses/certificates/{completion.pk}/"
    sheet = client.get(done.url).content.decode()
    assert "with every answer right" in sheet and person.name in sheet and "培训合格证明" in sheet
    verbs = Entry.objects.filter(actor=person.pk).order_by("id").values_list("verb", flat=True)
    assert list(verbs) == ["course.failed", "course.passed"]


def test_an_open_question_is_asked_for_and_no_try(person, client_of):
    given = form("law")
    del given["q4"]
    page = client_of(person).post("/courses/law/questions/", given)
    assert page.status_code == 422 and "Choose an answer." in page.content.decode()
    assert "Not passed" not in page.content.decode()
    assert not Entry.objects.filter(actor=person.pk).exists()


def test_the_page_is_the_same_whatever_is_right(person, client_of, monkeypatch):
    """The right answers are nowhere in what is sent."""
    client = client_of(person)
    before = client.get("/courses/law/questions/").content
    course = courses()["law"]
    moved = [replace(one, right=(one.right + 1) % len(one.answers)) for one in course.questions]
    changed = {**courses(), "law": replace(course, questions=moved)}
    monkeypatch.setattr("accounts.views.courses.courses", lambda: changed)
    after = client.get("/courses/law/questions/").content

    def without_token(page):
        return [line for line in page.decode().splitlines() if "csrf" not in line.lower()]

    assert without_token(before) == without_token(after)
    answered = form("law", wrong=3)
    told = client.post("/courses/law/questions/", answered)
    assert told.status_code == 422


@pytest.mark.parametrize("code", list(courses()))
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_page_of_every_course(cast, client_of, code, language):
    client = client_of(cast.buyer_lead)
    client.cookies["django_language"] = language
    course = courses()[code]
    short = "zh" if language == "zh-hans" else "en"
    assert course.summary[short] in client.get(f"/courses/{code}/").content.decode()
    for number, lesson in enumerate(course.lessons, start=1):
        page = client.get(f"/courses/{code}/{number}/")
        assert lesson.title[short] in html.unescape(page.content.decode())
    assert client.get(f"/courses/{code}/{len(course.lessons) + 1}/").status_code == 404
    assert client.get(f"/courses/{code}/questions/").status_code == 200


@pytest.mark.parametrize("path", ["/courses/nothing/", "/courses/nothing/1/", "/courses/law/0/"])
def test_what_does_not_exist(cast, client_of, path):
    assert client_of(cast.agent).get(path).status_code == 404


def test_certificates_are_for_oneself_ones_lead_and_the_agency(cast, client_of):
    completion = cast.seller_clerk.completions.get(course="law")
    path = f"/courses/certificates/{completion.pk}/"
    seen = {person.email: client_of(person).get(path).status_code for person in (cast.seller_clerk, cast.seller_lead)}
    assert set(seen.values()) == {200}
    assert client_of(cast.agent).get(path).status_code == 200
    assert client_of(cast.buyer_lead).get(path).status_code == 404
    assert timezone.localdate() < completion.expires_on
