"""The ledger's page, its filter and export, the timeline, the admin."""

from uuid import uuid4

import pytest
from django.template import engines
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from django_cotton.compiler_regex import CottonCompiler

from ledger import sealing, vocabulary
from ledger.models import Checkpoint, Entry
from ledger.selectors import entries_of


@pytest.fixture(autouse=True)
def sentences(monkeypatch):
    monkeypatch.setattr(vocabulary, "_SENTENCES", dict(vocabulary._SENTENCES))
    monkeypatch.setattr(vocabulary, "_KINDS", dict(vocabulary._KINDS))
    vocabulary.register(
        {"thing.made": _("%(actor_name)s made %(count)s things"), "thing.sold": "{actor_name} sold {what}"}
    )
    vocabulary.register({"thing.broke": "Stopped at 100%% of %(count)s"}, kind="bad")
    vocabulary.register({"thing.passed": "Gate passed"}, kind="gate")


def test_sentences(write):
    assert vocabulary.sentence(write(data={"count": 1200})[0]) in {"The platform made 1,200 things"}
    assert vocabulary.sentence(write(verb="thing.sold", data={})[0]) == "The platform sold –"
    assert vocabulary.sentence(write(verb="thing.broke", data={"count": 2})[0]) == "Stopped at 100% of 2"
    assert vocabulary.sentence(write(verb="never.heard_of", data={})[0]) == "The platform: never heard of"


def test_a_value_with_placeholders_in_it_stays_text(write):
    assert vocabulary.sentence(write(verb="thing.sold", data={"what": "%(count)s {x}"})[0]) == (
        "The platform sold %(count)s {x}"
    )


def test_timeline(write):
    thing = uuid4()
    write(object_id=thing, data={"count": 5})
    write(object_id=thing, verb="thing.passed", data={})
    write(object_id=thing, verb="thing.broke", data={"count": "<b>"})
    template = engines["django"].from_string(CottonCompiler().process('<c-timeline :entries="entries" />'))
    html = template.render({"entries": entries_of("thing", thing)})
    assert html.count("<li") == 3
    assert html.index("is-bad") < html.index("is-gate") < html.index("made 5 things")
    assert "&lt;b&gt;" in html
    assert "Nothing has happened" in template.render({"entries": []})


def test_the_page_shows_the_entries_of_ones_organizations(client_of, cast, write):
    thing = uuid4()
    write(audience=[cast.seller.pk], object_id=thing, data={"count": 31})
    write(audience=[cast.buyer.pk], data={"count": 32})
    page = client_of(cast.seller_lead).get(reverse("ledger:list")).content.decode()
    assert "made 31 things" in page
    assert "made 32 things" not in page
    assert "made 31 things" not in client_of(cast.buyer_lead).get(reverse("ledger:list")).content.decode()


def test_the_page_needs_a_sign_in(client, db):
    for name in ("ledger:list", "ledger_export"):
        response = client.get(reverse(name))
        assert response.status_code == 302
        assert reverse("account_login") in response["Location"]


def test_the_filter_is_in_the_url(client_of, cast, write):
    thing = uuid4()
    write(audience=[cast.seller.pk], object_id=thing, data={"count": 41})
    write(audience=[cast.seller.pk], verb="thing.sold", data={"what": "tea"})
    client = client_of(cast.seller_lead)

    def shown(**query):
        return client.get(reverse("ledger:list"), query).content.decode()

    assert "… made … things" in shown()
    assert "made 41" in shown(verb="thing.made")
    assert "sold tea" not in shown(verb="thing.made")
    assert "made 41" in shown(object=str(thing))
    assert "sold tea" not in shown(object=str(thing))
    assert "sold tea" in shown(object="thing")
    assert "Nothing fits this filter" in shown(object="nobody")
    for odd in ({"verb": "x" * 500}, {"object": "\0"}, {"object": "x" * 90}, {"page": "many"}, {"page": "-1"}):
        assert client.get(reverse("ledger:list"), odd).status_code == 200


def test_pages(client_of, cast, write):
    write(120, audience=[cast.seller.pk], data={"count": 7})
    page = client_of(cast.seller_lead).get(reverse("ledger:list"), {"verb": "thing.made", "page": 3}).content.decode()
    assert page.count("made 7 things") == 20


def test_only_agency_staff_take_the_export(client_of, cast, write, now):
    write(3)
    sealing.seal(now)
    cast.agent.is_staff = True
    cast.agent.save()
    url = reverse("ledger_export")
    assert client_of(cast.agent).get(url).status_code == 405
    response = client_of(cast.agent).post(url)
    entry = Entry.objects.get(verb="ledger.exported")
    assert (entry.actor, entry.audience) == (cast.agent.pk, [])
    assert entry.data == {"entries": Checkpoint.objects.latest("size").size}
    body = b"".join(response.streaming_content)
    assert body.startswith(b'{"format":"handover-ledger/1"')
    assert "attachment" in response["Content-Disposition"]
    assert client_of(cast.seller_lead).post(url).status_code == 404
    assert url not in client_of(cast.seller_lead).get(reverse("ledger:list")).content.decode()
    assert url in client_of(cast.agent).get(reverse("ledger:list")).content.decode()


def test_the_export_has_a_limit(client_of, cast, settings):
    settings.RATE_LIMITS = settings.RATE_LIMITS | {"export": [("person", 1, 3600)]}
    cast.agent.is_staff = True
    cast.agent.save()
    client = client_of(cast.agent)
    answers = [client.post(reverse("ledger_export")) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert int(answers[1]["Retry-After"]) > 0
    assert Entry.objects.filter(verb="ledger.exported").count() == 1


def test_the_admin_reads_only(client_of, cast, write, now):
    entry = write()[0]
    sealing.seal(now)
    cast.agent.is_staff = cast.agent.is_superuser = True
    cast.agent.save()
    client = client_of(cast.agent)
    assert client.get(reverse("admin:ledger_entry_changelist")).status_code == 200
    assert client.get(reverse("admin:ledger_checkpoint_changelist")).status_code == 200
    assert client.get(reverse("admin:ledger_entry_change", args=[entry.pk])).status_code == 200
    assert client.get(reverse("admin:ledger_entry_add")).status_code == 403
    assert client.post(reverse("admin:ledger_entry_delete", args=[entry.pk]), {"post": "yes"}).status_code == 403
    assert Entry.objects.filter(pk=entry.pk).exists()


def test_in_chinese_it_renders(client_of, cast, write):
    write(audience=[cast.seller.pk])
    with translation.override("zh-hans"):
        client = client_of(cast.seller_lead)
        assert client.get(reverse("ledger:list"), HTTP_ACCEPT_LANGUAGE="zh-hans").status_code == 200
