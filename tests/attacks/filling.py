"""Forms that fill themselves: a view whose form is bound gets what the form asks for, whoever wrote the form. So every
form of the project is sent valid, a new one too."""

import datetime
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest import mock

from django import forms
from django.conf import settings
from django.http import QueryDict

ROOT = Path(__file__).resolve().parents[2]
Text = Callable[[str, forms.Field], str]
# What asks for more once it is said: the registration number of a new buyer has to be a real one
# (tests/handover/test_buyer_invited.py).
LEFT_OFF = {"buyer_is_new"}


def every_form() -> list[type[forms.BaseForm]]:
    """Every form that a room defines, those of its admin apart."""
    rooms = [ROOT / room for room in settings.ROOMS]
    modules = [path for room in rooms for path in sorted([*room.rglob("*forms*.py"), *room.rglob("forms/*.py")])]
    names = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts) for path in modules if "migrations" not in path.parts
    ]
    found = [one for name in names for _, one in inspect.getmembers(import_module(name), inspect.isclass)]
    return sorted({one for one in found if _is_ours(one)}, key=lambda one: f"{one.__module__}.{one.__name__}")


def _is_ours(found: type) -> bool:
    return issubclass(found, forms.BaseForm) and found.__module__.partition(".")[0] in settings.ROOMS


@contextmanager
def filled(text: Text) -> Iterator[dict[type[forms.BaseForm], bool]]:
    """Within the block every bound form of ours is sent with what it asks for: `text(name, field)` for free text, the
    first choice, the least number, tomorrow. What was sent with it stays, unless it is empty. Yields the forms that
    were bound, and whether one of each was ever valid."""
    seen: dict[type[forms.BaseForm], bool] = {}
    clean = forms.BaseForm.full_clean

    def full_clean(self: forms.BaseForm) -> None:
        if not self.is_bound or not _is_ours(type(self)):
            return clean(self)
        if not getattr(self, "_filled", False):
            self._filled = True
            self.data = _data(self, text)
        clean(self)
        seen[type(self)] = seen.get(type(self), False) or not self._errors
        return None

    with mock.patch.object(forms.BaseForm, "full_clean", full_clean):
        yield seen


def _data(form: forms.BaseForm, text: Text) -> QueryDict:
    data = QueryDict(mutable=True)
    for name in form.data:
        data.setlist(name, form.data.getlist(name) if hasattr(form.data, "getlist") else [form.data[name]])
    for name, field in form.fields.items():
        key = form.add_prefix(name)
        if not data.get(key) and (value := _value(form, name, field, text)) is not None:
            data[key] = value
    return data


def _value(form: forms.BaseForm, name: str, field: forms.Field, text: Text) -> Any:
    match field:
        case forms.BooleanField():
            return None if name in LEFT_OFF else "on"
        case forms.MultipleChoiceField() | forms.ChoiceField() | forms.ModelChoiceField():
            return _choice(field)
        case forms.DateTimeField():
            return "2026-11-24 10:00"
        case forms.DateField():
            return (datetime.date.today() + datetime.timedelta(days=1)).isoformat()  # noqa: DTZ011
        case forms.IntegerField():
            start = form.get_initial_for_field(field, name)
            return str(start if isinstance(start, int) else max(field.min_value or 0, 1))
        case forms.EmailField():
            return "somebody@elsewhere.example"
        case forms.FileField() | forms.RegexField() | forms.JSONField():
            return None
        case forms.CharField():
            return form.get_initial_for_field(field, name) if field.widget.is_hidden else text(name, field)
    return None


def _choice(field: Any) -> Any:
    for value, label in field.choices:
        if isinstance(label, (list, tuple)):
            return str(label[0][0])
        if str(value):
            return str(value)
    return None
