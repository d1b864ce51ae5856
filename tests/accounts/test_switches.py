"""Language and look, and the door of the demo."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from accounts.demo import EMAILS, PEOPLE, make_cast
from accounts.models import Membership, Organization, User

ROOT = Path(__file__).resolve().parents[2]


def html(response):
    return response.content.decode()


def test_the_language_is_switched_and_kept(client, db):
    assert '<html lang="en"' in html(client.get("/accounts/login/"))
    response = client.post("/language/", {"language": "zh-hans", "next": "/accounts/login/"})
    assert response["Location"] == "/accounts/login/"
    page = html(client.get("/accounts/login/"))
    assert '<html lang="zh-Hans"' in page
    assert 'value="en" lang="en">English' in page
    client.post("/language/", {"language": "en", "next": "/"})
    assert '<html lang="en"' in html(client.get("/accounts/login/"))


def test_the_browsers_language_counts_first(client, db):
    assert '<html lang="zh-Hans"' in html(client.get("/accounts/login/", headers={"accept-language": "zh-CN,zh;q=0.9"}))


@pytest.mark.parametrize("language", ["", "tlh", "../../etc"])
def test_an_unknown_language_changes_nothing(client, db, language):
    assert client.post("/language/", {"language": language, "next": "/"}).status_code == 302
    assert '<html lang="en"' in html(client.get("/accounts/login/"))


def test_the_look_is_switched_and_kept(client, db):
    assert "data-theme" not in html(client.get("/accounts/login/"))
    for theme in ("dark", "light"):
        response = client.post("/theme/", {"theme": theme, "next": "/accounts/login/?next=/books/"})
        assert response["Location"] == "/accounts/login/?next=/books/"
        assert response.cookies["theme"]["httponly"]
        assert response.cookies["theme"]["samesite"] == "Lax"
        assert f'data-theme="{theme}"' in html(client.get("/accounts/login/"))
    client.post("/theme/", {"theme": "system", "next": "/"})
    assert "data-theme" not in html(client.get("/accounts/login/"))


@pytest.mark.parametrize("theme", ["", "pink", '"><script>'])
def test_an_unknown_look_follows_the_system(client, db, theme):
    client.post("/theme/", {"theme": "dark"})
    client.post("/theme/", {"theme": theme})
    page = html(client.get("/accounts/login/"))
    assert "data-theme" not in page
    assert "<script>" not in page


@pytest.mark.parametrize("path", ["/theme/", "/language/"])
@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example/", "http:///evil.example", "javascript:alert(1)", "\\\\evil.example", ""],
)
def test_a_switch_leads_nowhere_else(client, db, path, target):
    response = client.post(path, {"theme": "dark", "language": "en", "next": target})
    assert response.status_code == 302
    assert "evil" not in response["Location"]
    assert response["Location"].startswith("/")


def test_a_switch_is_no_link(client, db):
    assert client.get("/theme/").status_code == 405
    assert client.get("/accounts/login/").status_code == 200


@pytest.mark.parametrize(("debug", "demo"), [(False, False), (True, False), (False, True)])
def test_the_demo_door_is_shut(client, cast, settings, debug, demo):
    settings.DEBUG, settings.DEMO = debug, demo
    for path in ("/demo/", "/demo/look/"):
        assert client.get(path).status_code == 404
    assert client.post("/demo/", {"email": cast.agent.email}).status_code == 404
    assert "_auth_user_id" not in client.session
    assert "/demo/" not in html(client.get("/accounts/login/"))


def test_the_demo_door_signs_in_the_cast_alone(client, db, settings):
    settings.DEBUG = settings.DEMO = True
    page = html(client.get("/demo/"))
    for person in PEOPLE:
        assert f'value="{person.email}"' in page
    assert client.post("/demo/", {"email": "root@evil.example"}).status_code == 404
    User.objects.create_superuser("boss@jiaxi.example", "x", name="Boss")
    assert client.post("/demo/", {"email": "boss@jiaxi.example"}).status_code == 404
    assert client.post("/demo/", {}).status_code == 404
    assert client.post("/demo/", {"email": "zhao.min@jinghe.example"})["Location"] == "/"
    assert "Zhao Min" in html(client.get("/"))


def test_one_changes_sides_at_the_demo_door(client, cast, settings):
    settings.DEBUG = settings.DEMO = True
    for email in sorted(EMAILS):
        client.post("/demo/", {"email": email})
        assert User.objects.get(email=email).name in html(client.get("/"))


def test_the_gallery_shows_every_component(client, cast, settings):
    settings.DEBUG = settings.DEMO = True
    assert client.get("/demo/look/").status_code == 200
    assert "error-summary" in html(client.get("/demo/look/?bad=1"))


def test_the_cast_is_made_once(cast, now):
    again = make_cast(now)
    assert again == cast
    assert (User.objects.count(), Organization.objects.count(), Membership.objects.count()) == (7, 4, 7)
    assert not any(user.has_usable_password() for user in User.objects.all())
    assert [user.email for user in User.objects.filter(is_staff=True)] == [cast.agent.email]


@pytest.mark.parametrize("debug", ["0", "False", ""])
def test_settings_refuse_a_demo_outside_development(debug):
    env = {**os.environ, "DEMO": "1", "DEBUG": debug or "0", "SECRET_KEY": "x" * 60}
    if not debug:
        del env["DEBUG"]
    command = [sys.executable, "-c", "import config.settings"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "DEMO needs DEBUG" in done.stderr
