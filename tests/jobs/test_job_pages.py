"""The panel, the pages, the buttons, the admin."""

import effects
import pytest
from django.urls import reverse

from jobs import running, services
from jobs.models import Job
from jobs.workflow import JobState


def url(name, job):
    return reverse(f"jobs:{name}", args=[job.pk])


@pytest.fixture
def seller(client_of, cast):
    return client_of(cast.seller_lead)


def test_the_panel_polls_while_the_job_runs(start, seller, now):
    job = start("steady")
    for _step in range(4):
        running.step(job.pk, lambda: now)
    response = seller.get(url("panel", job))
    html = response.content.decode()
    assert f'hx-get="{url("panel", job)}"' in html
    assert 'hx-trigger="every 1s"' in html
    assert 'hx-swap="outerHTML"' in html
    assert 'max="120" value="30"' in html
    assert "Steady work" in html
    assert "3 of 12 parts done" in html
    assert "HX-Refresh" not in response


def test_the_panel_stops_polling_at_the_end_and_refreshes_the_page(start, seller):
    job = services.run_now(start("steady"))
    response = seller.get(url("panel", job))
    assert response["HX-Refresh"] == "true"
    assert "hx-get" not in response.content.decode()
    assert 'value="120"' in response.content.decode()


def test_a_failure_shows_its_reason_and_cure(start, seller):
    html = seller.get(url("panel", services.run_now(start("fails")))).content.decode()
    assert "The file is gone. Upload it again." in html
    assert "then retry" in html


def test_large_numbers_do_not_break_the_meter(start, seller):
    job = start("steady")
    Job.objects.filter(pk=job.pk).update(rows_total=1234567)
    html = seller.get(url("panel", job)).content.decode()
    assert 'max="1234567"' in html
    assert "1,234,567" in html


def test_others_see_nothing(start, client_of, cast, client):
    job = start("steady")
    for name in ("panel", "detail"):
        assert client_of(cast.buyer_lead).get(url(name, job)).status_code == 404
        assert client.get(url(name, job)).status_code == 302
    for name in ("cancel", "retry"):
        assert client_of(cast.buyer_lead).post(url(name, job)).status_code == 404
    job.refresh_from_db()
    assert job.state == JobState.PLANNED


def test_agency_staff_watch_but_do_not_act(start, client_of, cast):
    cast.agent.is_staff = True
    cast.agent.save()
    job, client = start("steady"), client_of(cast.agent)
    html = client.get(url("detail", job)).content.decode()
    assert "Steady work" in html
    assert url("cancel", job) not in html
    assert client.post(url("cancel", job)).status_code == 404


def test_cancel_and_retry_by_their_buttons(start, seller, monkeypatch, django_capture_on_commit_callbacks):
    job = start("steady")
    assert url("cancel", job) in seller.get(url("detail", job)).content.decode()
    response = seller.post(url("cancel", job))
    assert response["Location"] == url("detail", job)
    assert "The job is canceled." in seller.get(url("detail", job)).content.decode()
    for page, back in {
        "http://testserver/books/": "http://testserver/books/",
        "//evil.example/": url("detail", job),
    }.items():
        assert seller.post(url("cancel", job), {"back": page})["Location"] == back
    assert Job.objects.get(pk=job.pk).state == JobState.CANCELED
    page = seller.post(url("retry", job), follow=True).content.decode()
    assert "Only a failed job can be retried" in page
    failed = services.run_now(start("fails"))
    assert url("retry", failed) in seller.get(url("panel", failed)).content.decode()
    monkeypatch.setattr(effects.Fails, "times", 0)
    with django_capture_on_commit_callbacks(execute=True):
        seller.post(url("retry", failed))
    assert Job.objects.get(pk=failed.pk).state == JobState.DONE


def test_nothing_is_canceled_before_the_question(start, seller, monkeypatch):
    """The page says what becomes of what is done, and leads back to where somebody came from."""
    job = start("steady")
    page = seller.get(url("cancel", job), headers={"Referer": "http://testserver/books/"}).content.decode()
    assert "Cancel “Steady work”?" in page and "What is done stays done, the rest is left undone." in page
    assert 'name="back" value="http://testserver/books/"' in page
    assert f'href="{url("detail", job)}">Leave it as it is</a>' in page
    assert Job.objects.get(pk=job.pk).state == JobState.PLANNED
    monkeypatch.setattr(effects.Steady, "canceling", "Every row goes.", raising=False)
    assert "Every row goes." in seller.get(url("cancel", job)).content.decode()
    seller.post(url("cancel", job))
    answer = seller.get(url("cancel", job))
    assert (answer.status_code, answer["Location"]) == (302, url("detail", job))
    assert "cannot be canceled any more" in seller.get(url("detail", job)).content.decode()
    assert seller.post(url("cancel", job), follow=True).status_code == 200, "too late is told, not an error"


def test_the_buttons_need_the_token(start, cast):
    from django.test import Client  # noqa: PLC0415

    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.seller_lead, backend="django.contrib.auth.backends.ModelBackend")
    job = start("steady")
    assert client.post(url("cancel", job)).status_code == 403
    assert "csrfmiddlewaretoken" in client.get(url("cancel", job)).content.decode()


def test_the_list_and_the_detail(start, seller, cast):
    job = services.run_now(start("steady"))
    start("slow", audience=[cast.buyer.pk])
    page = seller.get(reverse("jobs:list")).content.decode()
    assert "Steady work" in page
    assert page.count("<tr>") == 2
    detail = seller.get(url("detail", job)).content.decode()
    assert detail.count('data-label="State"') == effects.CHUNKS


def test_an_unknown_kind_still_has_a_page(start, seller):
    job = start("empty")
    Job.objects.filter(pk=job.pk).update(kind="gone.kind")
    assert "gone.kind" in seller.get(url("detail", job)).content.decode()


def test_the_admin(start, client_of, cast):
    cast.agent.is_staff = cast.agent.is_superuser = True
    cast.agent.save()
    client = client_of(cast.agent)
    failed, planned = services.run_now(start("fails")), start("steady")
    listing = reverse("admin:jobs_job_changelist")
    assert client.get(listing).status_code == 200
    assert client.get(reverse("admin:jobs_job_change", args=[failed.pk])).status_code == 200
    assert client.get(reverse("admin:jobs_job_add")).status_code == 403
    assert client.post(reverse("admin:jobs_job_delete", args=[failed.pk]), {"post": "yes"}).status_code == 403
    response = client.post(listing, {"action": "retry", "_selected_action": [failed.pk, planned.pk]}, follow=True)
    assert "1 job runs again." in response.content.decode()
    assert Job.objects.get(pk=failed.pk).state == JobState.RUNNING
    response = client.post(listing, {"action": "retry", "_selected_action": [planned.pk]}, follow=True)
    assert "Choose failed jobs" in response.content.decode()
