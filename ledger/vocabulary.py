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

_SENTENCES: dict[str, str | Promise] = {}
_KINDS: dict[str, Kind] = {}
_PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]|\{(\w+)\}")
PLATFORM = _("The platform")


def register(sentences: Mapping[str, str | Promise], kind: Kind = "") -> None:
    """Name the verbs of a room: lazy translated sentences with `%(actor_name)s` or `{actor_name}` and the names of the
    entry's data. `kind` marks them in the timeline: "gate" (a gate passed), "bad" (failed, refused)."""
    for verb, sentence in sentences.items():
        _SENTENCES[verb] = sentence
        _KINDS[verb] = kind


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
        return "–" if found is None else force_str(localize(found))

    return _PLACEHOLDER.sub(value, text).replace("%%", "%")
