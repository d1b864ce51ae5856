"""Attacks on every address: ids of others, forged requests, ways out, and what no browser sends. A new address is
attacked without a line here; what it must be allowed is declared below, with the reason."""

import re
from itertools import cycle
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest
from access_table import PAGES
from addresses import ADMIN, DECLARABLE, answer, declared, path, undone
from django.core.files.uploadedfile import SimpleUploadedFile
from django.middleware.csrf import get_token
from django.test import Client, RequestFactory
from django.urls import reverse
from filling import every_form, filled
from marks import changed, everything
from world import ACTORS

# Addresses that take a POST without the token against forged requests: browsers send these by themselves.
WITHOUT_TOKEN = {
    "csp_report": "a report of the browser: it is logged and changes nothing",
    "notice": "its address is the secret of one customer: nobody else can forge a form for it",
}
# Addresses that look for the token after who asks and by which method: these are refused for that reason first.
TOKEN_LATER = {"customers:import_upload": "the handler that seals a file is set before anything reads the form"}
# Tables that may change when somebody only looks, with the reason. Reading opened values is a POST.
LOOKING_WRITES: dict[str, str] = {"handover_scopereading": "until when a person has read the questions and answers"}
EVIL = ("https://evil.example/x", "//evil.example/x", "/\\evil.example", "https:evil.example", "javascript:alert(1)")
MORE_EVIL = (
    *EVIL,
    "///evil.example",
    "\t//evil.example",
    "/\t/evil.example",
    "http://testserver@evil.example/",
    "http://testserver.evil.example/",
    "https://evil.example\\@testserver/",
    "data:text/html,x",
)
WAYS_ON = ("next", "redirect_to", "url", "return", "success_url")
# By turns for the names of a request.
NASTY = {
    "nul": ["a\x00b"],
    "odd": ["9" * 4400, "-1e309%s%n{0}{{7*7}}'\";--\\\U0001f600\u202e\ufeff", "[" * 500],
}
# Names that pages read from the address, wherever they do.
PARAMETERS = (
    "page",
    "q",
    "show",
    "kind",
    "state",
    "seen",
    "found",
    "place",
    "handover",
    "object",
    "verb",
    "next",
    "differences",
)
# What the forms of the project ask for, by their own names.
FIELDS = sorted({name for form in every_form() for name in form.base_fields})


def _by_uuid(name: str) -> bool:
    converters = getattr(DECLARABLE[name].pattern, "converters", {})
    return any(type(one).__name__ == "UUIDConverter" for one in converters.values())


def _numbered(name: str) -> bool:
    converters = getattr(DECLARABLE[name].pattern, "converters", {})
    return any(type(one).__name__ == "IntConverter" for one in converters.values())


def _text(response, *ids: object) -> str:
    """The page without what differs each time: the ids in the address and the token."""
    page = response.content.decode()
    for one in ids:
        page = page.replace(str(one), "ID")
    return re.sub(
        r'(csrfmiddlewaretoken" value=|X-CSRFToken&quot;: &quot;|X-CSRFToken": ")[^>&"]*"?[^>&"]*', "token", page
    )


@pytest.mark.parametrize("actor", ["other_lead", "other_reviewer", "buyer_clerk"])
def test_what_belongs_to_others_answers_like_what_does_not_exist(world, clients, actor):
    """Nobody learns by an id whether it exists: the same status and the same page."""
    place, wrong = ACTORS.index(actor), []
    for name, page in PAGES.items():
        for method, answers in (("get", page.get), ("post", page.post)):
            if not _by_uuid(name) or declared(answers)[place] != "404":
                continue
            nobody = {key: uuid4() if isinstance(value, UUID) else value for key, value in world.objects.items()}
            real, unreal = path(name, world.objects), path(name, nobody)
            found, missing = (getattr(clients[actor], method)(one) for one in (real, unreal))
            if found.status_code != missing.status_code or _text(found, *world.objects.values()) != _text(
                missing, *nobody.values()
            ):
                wrong.append(f"{method} {name}")
    assert not wrong, wrong


@pytest.mark.parametrize("actor", ["anonymous", "seller_lead", "agent"])
def test_a_form_from_another_site_is_refused_everywhere(world, clients, actor):
    strict = Client(enforce_csrf_checks=True, raise_request_exception=False)
    strict.cookies = clients[actor].cookies
    foreign = {"X-CSRFToken": get_token(RequestFactory().get("/"))}
    admin = [reverse(name) for name in ADMIN if name.endswith(("_changelist", "_add", ":logout", ":login"))]
    addresses = {name: path(name, world.objects) for name in PAGES} | {address: address for address in admin}
    methods = ("post", "put", "patch", "delete") if actor == "anonymous" else ("post",)
    before, wrong = everything(), []
    for name, address in addresses.items():
        for method in methods:
            sent = getattr(strict, method)(address, headers=foreign if method == "post" else {})
            if sent.status_code != 403 and not _needs_no_token(name, sent):
                wrong.append(f"{method} {address}: {sent.status_code}")
    assert not wrong, f"These take a request without the token; see WITHOUT_TOKEN: {wrong}"
    assert not changed(before)


def _needs_no_token(name: str, response) -> bool:
    if name in TOKEN_LATER:
        return answer(response) in {"login", "404", "405"}
    return name in WITHOUT_TOKEN and response.status_code in {405, 415, 422}


def test_the_file_of_another_site_is_refused(world, clients):
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = clients["seller_lead"].cookies
    before = everything()
    answer = strict.post(path("customers:import_upload", world.objects), {"file": SimpleUploadedFile("a.csv", b"a;b")})
    assert answer.status_code == 403
    assert not changed(before) - {"vault_datakey"}


def test_a_token_from_another_site_does_not_help(world, clients):
    """With the token, but sent by another origin: over TLS the sender is looked at too."""
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = clients["seller_lead"].cookies
    strict.get("/incidents/report/", secure=True)
    token = strict.cookies["csrf"].value
    for headers in ({"Origin": "https://evil.example"}, {"Referer": "https://evil.example/"}, {}):
        answer = strict.post("/theme/", {"csrfmiddlewaretoken": token}, secure=True, headers=headers)
        assert answer.status_code == 403, headers
    answer = strict.post(
        "/theme/", {"csrfmiddlewaretoken": token}, secure=True, headers={"Origin": "https://testserver"}
    )
    assert answer.status_code == 302


@pytest.mark.parametrize("actor", ["seller_lead", "agent"])
def test_looking_changes_nothing(world, clients, actor):
    before = everything()
    for name in PAGES:
        clients[actor].get(path(name, world.objects))
    clients[actor].head("/")
    clients[actor].options("/")
    found = changed(before) - set(LOOKING_WRITES)
    assert not found, f"A page writes when it is opened; see LOOKING_WRITES: {found}"


def _leads_away(response) -> bool:
    target = response.headers.get("Location", "") or response.headers.get("HX-Redirect", "")
    parts = urlsplit(target.replace("\\", "/").strip())
    return bool(parts.netloc not in {"", "testserver"} or parts.scheme not in {"", "http", "https"})


@pytest.mark.parametrize("actor", ["anonymous", "seller_lead"])
def test_nobody_is_led_to_another_site(world, clients, actor):
    client, wrong = clients[actor], []
    ways = dict(zip(WAYS_ON, EVIL, strict=True))
    for name, page in PAGES.items():
        address = path(name, world.objects)
        with undone(client), filled(lambda name, _field: f"typed {name}"[:40]):
            answers = [client.get(address, ways)] if "302" in page.get else []
            answers += [client.post(address, ways, headers={"Referer": EVIL[0]})] if page.post != "405" else []
        wrong += [f"{one.request['REQUEST_METHOD']} {address}" for one in answers if _leads_away(one)]
    assert not wrong, wrong


@pytest.mark.parametrize("evil", MORE_EVIL)
def test_what_leads_on_leads_on_here(world, clients, evil):
    """The four addresses that are meant to lead to where somebody wanted to go."""
    lead = world.people["seller_lead"]
    lead.set_password("six gates, one certificate")
    lead.save()
    client = Client()
    asked = [
        client.post("/language/", {"language": "en", "next": evil}),
        client.post("/theme/", {"theme": "dark", "next": evil}),
        client.post("/accounts/login/", {"login": lead.email, "password": "six gates, one certificate", "next": evil}),
        client.post("/accounts/logout/", {"next": evil}),
        Client().get("/admin/login/", {"next": evil}),
    ]
    assert not [answer.headers["Location"] for answer in asked if _leads_away(answer)]
    shown = client.get("/accounts/login/", {"next": evil}).content.decode()
    assert 'href="javascript:' not in shown and "href='javascript:" not in shown


@pytest.mark.parametrize("nasty", NASTY)
def test_what_no_browser_sends_is_an_answer_and_no_error(world, clients, nasty):
    """Every address, with every name that a page or a form reads."""
    names, wrong = (*PARAMETERS, *WAYS_ON, *FIELDS), []
    sent = dict(zip(names, cycle(NASTY[nasty]), strict=False))
    page_before = "x" if nasty == "nul" else NASTY[nasty][1]
    headers = {"Referer": page_before, "HX-Request": "true", "HX-Current-URL": page_before}
    for name, page in PAGES.items():
        address, before_signing_in = path(name, world.objects), name.startswith(("account", "mfa"))
        for client in [clients["seller_lead"], *([clients["anonymous"]] if before_signing_in else [])]:
            with undone(client):
                answers = [client.get(address, sent)] if set(declared(page.get)) - {"404", "405"} else []
                answers += [client.post(address, sent, headers=headers)] if page.post != "405" else []
            wrong += [f"{one.request['REQUEST_METHOD']} {address}" for one in answers if one.status_code >= 500]
    assert not wrong, wrong


def test_a_number_that_no_database_holds(world, clients):
    wrong = []
    for name in filter(_numbered, PAGES):
        marked = {
            key: "77777777777777777777" if isinstance(value, int) else value for key, value in world.objects.items()
        }
        words = [marked.get(key, key) for key in PAGES[name].objects.split()]
        address = reverse(name, args=[int(word) if str(word).isdigit() else word for word in words])
        address = re.sub(r"/\d(?=/)", "/77777777777777777777", address)
        for method in ("get", "post"):
            for actor in ("anonymous", "seller_lead", "agent"):
                status = getattr(clients[actor], method)(address).status_code
                wrong += [f"{method} {address} as {actor}: {status}"] if status >= 500 or status == 200 else []
    assert not wrong, wrong


def test_a_body_that_is_too_large_is_refused_before_it_is_read(world, clients):
    """Form fields of 3 MB, and of 3,000 names, to every address that takes a form."""
    many, wrong = "&".join(f"n{number}=1" for number in range(3000)), []
    large = b"a=" + b"x" * 3_000_000
    for name, page in PAGES.items():
        if page.post == "405":
            continue
        address = path(name, world.objects)
        for body in (large, many.encode()):
            with undone(clients["seller_lead"]):
                answer = clients["seller_lead"].post(address, body, "application/x-www-form-urlencoded")
            if answer.status_code >= 500 or (
                answer.status_code == 200 and "csrfmiddlewaretoken" not in str(answer.content)
            ):
                wrong.append(f"{address}: {answer.status_code}")
    assert not wrong, wrong


@pytest.mark.parametrize(
    "host", ["evil.example", "testserver:80@evil.example", "testserver evil.example", "evil.example#testserver"]
)
def test_a_forged_host_is_refused(world, clients, host):
    """No link of a mail is built on a host that the request names."""
    for actor in ("anonymous", "seller_lead"):
        assert clients[actor].get("/accounts/login/", headers={"Host": host}).status_code == 400
    answer = clients["anonymous"].get(
        "/accounts/login/", headers={"X-Forwarded-Host": host, "Forwarded": f"host={host}"}
    )
    assert answer.status_code == 200 and "evil.example" not in answer.content.decode()


@pytest.mark.parametrize("method", ["trace", "generic"])
def test_methods_that_nobody_needs(clients, method):
    client = clients["seller_lead"]
    answer = client.trace("/") if method == "trace" else client.generic("CONNECT", "/")
    assert answer.status_code in {403, 405}
