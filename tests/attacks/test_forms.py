"""Attacks by what is typed: every form of the project is sent with scripts in every text, and with fields that it does
not ask for. A new form is attacked without a line here, as soon as an address takes it."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser

from access_table import PAGES
from addresses import declared, undone
from django import forms
from django.apps import apps
from django.conf import settings
from django.db import models
from django.urls import reverse
from filling import ROOT, every_form, filled
from marks import known_ids, rows, writes

MARK = "q7x"
SHORT = f"\"'><b {MARK}>"
SCRIPT = f"\"'><img src=x onerror={MARK}><script>{MARK}</script>{{{{7*7}}}}{MARK}"
# The states of a handover in which its forms can be sent.
STATES = ("going", "new", "planning", "done")
# Forms that no walk can send valid, and where they are attacked instead.
SENT_ELSEWHERE = {
    "CodeAgainForm": "needs a code: test_signing_in",
    "SignInCodeForm": "needs a code: test_signing_in",
    "AddAppForm": "needs a code: tests/accounts/test_second_factor.py",
    "AddPasskeyForm": "needs a passkey: tests/journeys/test_passkey.py",
    "SignInPasskeyForm": "needs a passkey: tests/journeys/test_passkey.py",
    "PasskeyAloneForm": "needs a passkey: tests/journeys/test_passkey.py",
    "PasskeyAgainForm": "needs a passkey: tests/journeys/test_passkey.py",
    "RenamePasskeyForm": "needs a proof: test_the_name_of_a_passkey",
    "SignInForm": "needs a password: test_signing_in",
    "PasswordAgainForm": "needs a password: tests/accounts/test_step_up.py",
    "NewPasswordForm": "needs the link of a mail: tests/accounts/test_sign_in.py",
    "ChangePasswordForm": "needs a password: tests/accounts/test_sign_in.py",
    "SetPasswordForm": "needs an entry without a password",
    "UploadForm": "takes a file: test_files",
    "ColumnsForm": "of an upload: test_files",
    "ApproveForm": "takes a digest, no text: test_own_step",
    "NetworksForm": "takes networks, no text: tests/accounts/test_networks.py",
    "SpecimenForm": "of the demo's gallery of components",
    "AcceptForm": "needs the link of an invitation, takes a password: tests/accounts/test_invitations.py",
    "HashForm": "is sent by GET, takes digits: tests/handover/test_verify_pages.py",
    "QuizForm": "choices only, and the first ones are wrong",
    "RequestForm": "shares its address with AnswerForm: tests/customers/test_subject_requests.py",
    "SignForm": "its text must be the person's own name",
}
# What pages of the agency and of reviewers name that the seller's lead does not see in the same way.
SHARED = {"", "incident", "review", "job"}
# Names that a view reads besides the fields of its form; sent along, so that what depends on them runs.
BESIDES = {"submit": "1", "decision": ""}


class _Tags(HTMLParser):
    """What a browser would make of a page that nobody meant."""

    def __init__(self) -> None:
        super().__init__()
        self.made: list[str] = []
        self._script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._script = tag == "script"
        for name, value in attrs:
            text = (value or "").strip().lower()
            if MARK in name or MARK in tag or (name.startswith("on") and MARK in text):
                self.made.append(f"<{tag} {name}>")
            if name in {"href", "src", "action", "formaction"} and text.startswith(("javascript:", "data:text")):
                self.made.append(f"<{tag} {name}={text[:30]}>")

    def handle_data(self, data: str) -> None:
        if self._script and MARK in data:
            self.made.append("<script>")

    def handle_endtag(self, tag: str) -> None:
        self._script = False


def made_by_scripts(page: str) -> list[str]:
    """What the marks have become on a page besides text."""
    if MARK not in page and "javascript:" not in page:
        return []
    tags = _Tags()
    tags.feed(page)
    return tags.made + (["{{7*7}} was computed"] if f"49{MARK}" in page else [])


def _script(_name: str, field: forms.Field) -> str:
    most = getattr(field, "max_length", None) or 10_000
    return SCRIPT if most >= len(SCRIPT) else SHORT[:most]


def _addresses(world, answers: str, states: Iterable[str] = STATES) -> Iterator[tuple[str, str]]:
    """Every declared address, those of a handover in each of these states. `answers`: "get" or "post"."""
    for name, page in PAGES.items():
        words = page.objects.split()
        if set(declared(getattr(page, answers))) <= {"404", "405"}:
            continue
        for state in states if set(words) & set(STATES) else ("",):
            named = [state or word if word in STATES else word for word in words]
            yield name, reverse(name, args=[world.objects.get(word, word) for word in named])


# Who sends a form, until somebody's is taken. What ends something that other forms need comes last.
SENDERS = ("seller_clerk", "seller_lead", "buyer_lead", "reviewer", "agent")
LAST = {"handover:stop": "new", "member_role": "membership", "offboard": "membership"}
ENDS = {"account_logout", "sessions_end_others", "session_end", "jobs:cancel", "view_as", *LAST}


def _kinds(address: str) -> list[str]:
    """Addresses with the kind of a gate in them, for each gate."""
    kinds = ("necessity", "scope", "plan", "backup", "execution", "audit")
    return (
        [address.replace("/scope/", f"/{kind}/") for kind in kinds]
        if re.search("/scope/(approve|send)", address)
        else [address]
    )


def test_scripts_in_every_form_stay_text(world, clients):
    """In the answer to the form, and on every page that is opened afterwards."""
    found, held = [], 0
    with filled(_script) as seen:
        taken: set[str] = set()
        forms_ = [one for one in _addresses(world, "post") if one[0] not in ENDS]
        last = [(name, reverse(name, args=[world.objects[key]])) for name, key in LAST.items()]
        for name, one in [*forms_, *last]:
            for address in [] if name in taken else _kinds(one):
                made, done = _send(clients, name, address)
                found += made
                taken |= {name} if done and "/scope/" not in address else set()
    for actor in ("seller_lead", "agent", "reviewer"):
        mine = [one for one in _addresses(world, "get") if actor == "seller_lead" or PAGES[one[0]].objects in SHARED]
        for address in dict.fromkeys(one for _name, one in mine):
            page = _html(clients[actor].get(address))
            held += MARK in page
            found += [f"{address} as {actor}: {one}" for one in made_by_scripts(page)]
    assert not found, found
    assert held > 20, "the marks came to hardly any page: this test has lost its teeth"
    never = {one.__name__ for one in every_form() if not seen.get(one)} - set(SENT_ELSEWHERE)
    assert not (never := {name for name in never if not _is_base(name)}), (
        f"No address took these forms valid: {never}. Give the world an object in the state that takes them "
        "(tests/attacks/conftest.py), or say in SENT_ELSEWHERE where they are attacked."
    )


def _send(clients, name: str, address: str) -> tuple[list[str], bool]:
    """Send a form by one after the other, until it is taken; what its answers made of the marks, and whether it was."""
    found = []
    for actor in SENDERS:
        answer = clients[actor].post(address, BESIDES)
        assert answer.status_code < 500, f"{name} {address} as {actor}"
        found += [f"{address} as {actor}: {one}" for one in made_by_scripts(_html(answer))]
        if answer.status_code == 302:
            return found, True
    return found, False


def _html(answer) -> str:
    return answer.content.decode() if not answer.streaming and "html" in answer.headers.get("Content-Type", "") else ""


def _extra() -> dict[str, str]:
    """A value for every field of every model that no form of ours asks for, and no view reads."""
    asked = {name for form in every_form() for name in form.base_fields} | set(BESIDES)
    read = set(re.findall(r'POST\.get\("(\w+)"|"(\w+)" in (?:request\.)?(?:POST|data)', _sources()))
    asked |= {name for pair in read for name in pair}
    fields = [field for model in apps.get_models() for field in model._meta.get_fields() if hasattr(field, "attname")]
    named = {name: _hostile(field) for field in fields for name in (field.name, field.attname)}
    return {name: value for name, value in named.items() if name not in asked}


def _sources() -> str:
    return "".join(path.read_text() for room in settings.ROOMS for path in (ROOT / room).rglob("*.py"))


def _hostile(field: models.Field) -> str:
    if isinstance(field, models.BooleanField):
        return "on"
    if field.choices:
        return str(list(field.flatchoices)[-1][0])
    if isinstance(field, (models.IntegerField, models.FloatField, models.DecimalField)):
        return "77777"
    if isinstance(field, models.DateTimeField):
        return "2001-01-01 00:00"
    return (
        "assigned"
        if isinstance(field, (models.CharField, models.TextField))
        else "00000000-0000-0000-0000-000000000077"
    )


def test_nobody_assigns_what_a_form_does_not_ask_for(world, clients):
    """Every form is sent twice from the same state, once with a value for every field of every model: what is written
    is the same."""
    extra, known, wrong, wrote = _extra(), known_ids(), [], 0
    assert {"is_superuser", "is_staff", "organization", "author", "approved_by", "id", "version"} & set(extra)
    with filled(lambda name, _field: f"typed {name}"[:40]):
        done: set[str] = set()
        for name, one in _addresses(world, "post"):
            for address in [] if name in done else _kinds(one):
                for actor in SENDERS:
                    plain = _written(clients[actor], address, BESIDES, known)
                    if plain is None:
                        continue
                    more = _written(clients[actor], address, BESIDES | extra, known)
                    wrong += [f"{address} as {actor}: {_differs(plain, more)}"] if plain != more else []
                    done |= {name} if "/scope/" not in address else set()
                    wrote += 1
                    break
    assert not wrong, wrong
    assert wrote > 10, "hardly any form was taken: this test has lost its teeth"


def _written(client, address: str, data: dict[str, str], known: set[str]) -> dict[str, Counter[str]] | None:
    """What stands in the database once the form is sent; None if it wrote nothing. Then it is taken back."""
    with undone(client):
        before = writes()
        taken = client.post(address, data).status_code in {200, 302}
        return rows(known) if taken and writes() != before else None


def _differs(plain, more) -> list[str]:
    return [
        str((more or {}).get(table, plain[table]) - plain[table])
        for table in plain
        if (more or {}).get(table) != plain[table]
    ]


def _is_base(name: str) -> bool:
    """Forms that only others are made of, and those that are sent by GET."""
    return name.startswith("_") or name.endswith(("Fields", "Filter", "FilterForm", "ResetForm"))
