"""How an entry reads. Upper rooms register their verbs in `AppConfig.ready()`."""

import re
from collections.abc import Mapping
from typing import Literal

from django.utils.encoding import force_str
from django.utils.formats import localize
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ledger.models import Entry

Kind = Literal["", "gate", "bad"]
Words = Mapping[str, Mapping[str, str | Promise]]

_SENTENCES: dict[str, str | Promise] = {}
_KINDS: dict[str, Kind] = {}
_WORDS: dict[str, Words] = {}
_PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]|\{(\w+)\}")
PLATFORM = _("The platform")


def register(sentences: Mapping[str, str | Promise], kind: Kind = "", words: Words | None = None) -> None:
    """Name the verbs of a room: lazy translated sentences with `%(actor_name)s` or `{actor_name}` and the names of the
    entry's data. `kind` marks them in the timeline: "gate" (a gate passed), "bad" (failed, refused). `words`: for data
    that are codes, what each code reads as, by the name of the data."""
    for verb, sentence in sentences.items():
        _SENTENCES[verb] = sentence
        _KINDS[verb] = kind
        _WORDS[verb] = words or {}


def kind_of(entry: Entry) -> Kind:
    """How the timeline marks the entry."""
    return _KINDS.get(entry.verb, "")


def choices() -> list[tuple[str, str]]:
    """The registered verbs with their sentences in the active language, names and values left out, sorted."""
    outlines = [(verb, _PLACEHOLDER.sub("…", force_str(text)).replace("%%", "%")) for verb, text in _SENTENCES.items()]
    return sorted(outlines, key=lambda choice: choice[1])


def sentence(entry: Entry) -> str:
    """The entry as a sentence in the active language.

    A verb that nobody registered shows itself, a missing value is a dash."""
    text = force_str(_SENTENCES.get(entry.verb, "%(actor_name)s: " + entry.verb.replace("_", " ").replace(".", " ")))

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if name == "actor_name":
            return entry.actor_name or force_str(PLATFORM)
        found = entry.data.get(name)
        found = _WORDS.get(entry.verb, {}).get(name, {}).get(str(found), found)
        return "–" if found is None else force_str(localize(found))

    return _PLACEHOLDER.sub(value, text).replace("%%", "%")
