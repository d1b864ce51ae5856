"""Home: what waits for me, in words, and the navigation around it."""

from datetime import timedelta

import pytest
from django.http import HttpRequest

from accounts import panels, waiting, wording
from accounts.panels import Panel, panels_for
from accounts.waiting import Waiting, counts, waiting_for, waiting_in


@pytest.fixture
def alone(monkeypatch):
    """No provider but those of the test."""
    monkeypatch.setattr(waiting, "_providers", [])
    monkeypatch.setattr(panels, "_providers", [])


def html(response):
    return response.content.decode()


def provider(*items):
    return lambda user, now: items


def test_home_asks_to_sign_in(client):
    assert client.get("/")["Location"] == "/accounts/login/?next=/"


def test_nothing_waits(alone, client_of, cast):
    page = html(client_of(cast.seller_lead).get("/"))
    assert "Nothing waits for you" in page
    assert "Look at the handovers" in page


def test_what_waits_is_listed_with_its_door(alone, client_of, cast, now):
    late = Waiting("Answer the offer", "HO-2026-0502", "/a/", due=now - timedelta(days=9000), section="handovers")
    soon = Waiting("<Decide>", "HO-2026-0417", "/b/", weight=10, button="Decide now", section="reviews")
    waiting.register(provider(late, soon))
    page = html(client_of(cast.seller_lead).get("/"))
    assert "Two things wait for you" in page
    assert "One is late." in page
    assert page.index("&lt;Decide&gt;") < page.index("Answer the offer")
    assert page.count("todo") >= 2
    assert "Decide now" in page
    assert 'href="/a/"' in page
    assert page.count("btn--primary") == 1


def test_what_blocks_most_comes_first(alone, cast, now):
    first = Waiting("a", "", "/", weight=10)
    second = Waiting("b", "", "/", due=now)
    third = Waiting("c", "", "/", due=now + timedelta(days=1))
    last = Waiting("d", "", "/")
    waiting.register(provider(last, third))
    waiting.register(provider(second, first))
    assert waiting_for(cast.agent, now) == [first, second, third, last]


def test_a_provider_is_asked_once(alone, cast, now):
    item = provider(Waiting("a", "", "/"))
    waiting.register(item)
    waiting.register(item)
    assert len(waiting_for(cast.agent, now)) == 1


def test_a_request_asks_once(alone, cast):
    asked = []
    waiting.register(lambda user, now: asked.append(user) or [])
    request = HttpRequest()
    request.user = cast.agent
    waiting_in(request)
    waiting_in(request)
    assert asked == [cast.agent]


def test_the_navigation_counts_by_section(alone):
    items = [Waiting("a", "", "/", section="reviews"), Waiting("b", "", "/", section="reviews"), Waiting("c", "", "/")]
    assert counts(items)["reviews"] == 2
    assert counts(items)["handovers"] == 0


def test_panels_stand_in_their_order(alone, cast, now):
    panels.register(lambda user, now: [Panel("b.html", order=2), Panel("a.html", order=1)])
    assert [panel.template for panel in panels_for(cast.agent, now)] == ["a.html", "b.html"]


@pytest.mark.parametrize(
    ("who", "sees", "misses"),
    [
        ("seller_clerk", ["/handovers/", "/books/", "/incidents/", "/ledger/"], ["/reviews/", "/admin/"]),
        ("reviewer", ["/reviews/", "/incidents/"], ["/admin/"]),
        ("agent", ["/reviews/", "/admin/", "/ledger/"], []),
    ],
)
def test_the_navigation_shows_where_one_may_go(client_of, cast, who, sees, misses):
    page = html(client_of(getattr(cast, who)).get("/"))
    navigation = page[page.index("<nav") : page.index("</nav>")]
    assert all(f'href="{path}"' in navigation for path in sees)
    assert not any(f'href="{path}"' in navigation for path in misses)
    assert 'href="/" aria-current="page"' in navigation


def test_every_place_of_the_navigation_is_there(client_of, cast):
    client = client_of(cast.agent)
    for path in ("/", "/handovers/", "/reviews/", "/books/", "/incidents/", "/ledger/", "/admin/"):
        assert client.get(path).status_code == 200, path


def test_an_incident_is_reported_from_home(client_of, cast):
    page = html(client_of(cast.buyer_clerk).get("/"))
    assert 'href="/incidents/report/"' in page


@pytest.mark.parametrize(
    ("count", "title"),
    [(0, "Nothing waits for you"), (1, "One thing waits for you"), (6, "Six things wait for you"), (13, "13 things")],
)
def test_counts_in_words(count, title):
    assert wording.waiting_title(count).startswith(title)


@pytest.mark.parametrize(
    ("left", "label", "kind"),
    [
        (timedelta(days=-2), "2 days late", "stop"),
        (timedelta(hours=-3), "Late since 11:46", "stop"),
        (timedelta(hours=2), "Today 16:46", "wait"),
        (timedelta(hours=30), "30 h left", "wait"),
        (timedelta(days=14), "Due 8 Dec", ""),
        (timedelta(days=60), "Due 23 Jan 2027", ""),
    ],
)
def test_due_times_in_words(now, left, label, kind):
    assert wording.due_label(now + left, now) == (label, kind)


def test_without_a_due_time_there_is_no_label(now):
    assert wording.due_label(None, now) == ("", "")
