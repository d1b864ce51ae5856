"""What the components need and the template language lacks."""

from collections.abc import Mapping
from typing import NamedTuple

from django import forms, template
from django.forms.boundfield import BoundField
from django.utils.safestring import SafeString

register = template.Library()

CLASSES: dict[type[forms.Widget], str] = {
    forms.Select: "select",
    forms.Textarea: "textarea",
    forms.ClearableFileInput: "input input--file",
    forms.FileInput: "input input--file",
}
# ISO is the only form that the browser's own date fields take.
DATE_INPUTS: list[tuple[type[forms.DateInput | forms.DateTimeInput | forms.TimeInput], str, str]] = [
    (forms.DateInput, "date", "%Y-%m-%d"),
    (forms.DateTimeInput, "datetime-local", "%Y-%m-%dT%H:%M"),
    (forms.TimeInput, "time", "%H:%M"),
]


class Cell(NamedTuple):
    x: int
    y: int
    shade: int


@register.filter
def field_kind(field: BoundField) -> str:
    """`hidden`, `checkbox`, `choices` (radio buttons, several boxes) or `line` (label above one control)."""
    if field.is_hidden:
        return "hidden"
    if isinstance(field.field.widget, forms.RadioSelect | forms.CheckboxSelectMultiple):
        return "choices"
    return "checkbox" if isinstance(field.field.widget, forms.CheckboxInput) else "line"


@register.simple_tag
def control(field: BoundField, extra_class: str = "") -> SafeString:
    """The widget of a bound field with the class of its kind and the aria attributes of hint and error."""
    widget = field.field.widget
    _use_browser_date(widget)
    classes = [str(widget.attrs.get("class", "")), _class_of(widget), extra_class]
    described = [f"{field.auto_id}_helptext"] if field.help_text else []
    described += [f"{field.auto_id}_error"] if field.errors else []
    attrs: dict[str, str | bool] = {"class": " ".join(filter(None, classes))}
    if described:
        attrs["aria-describedby"] = " ".join(described)
    return field.as_widget(attrs=attrs)


@register.filter
def rootmark(hexadecimal: str) -> list[Cell]:
    """A root of 64 hexadecimal digits as an 8 by 8 pattern: digit n is cell (n mod 8, n div 8), shade digit div 4."""
    digits = [int(digit, 16) for digit in hexadecimal if digit in "0123456789abcdefABCDEF"]
    return [Cell(n % 8 * 8, n // 8 * 8, digit // 4) for n, digit in enumerate(digits[:64])]


@register.filter
def at(mapping: Mapping[str, object] | None, key: object) -> object:
    """The value of a mapping under a key that is itself a variable; empty if there is none."""
    return (mapping or {}).get(str(key), "")


def _class_of(widget: forms.Widget) -> str:
    if isinstance(widget, forms.CheckboxInput):
        return ""
    return next((name for kind, name in CLASSES.items() if isinstance(widget, kind)), "input")


def _use_browser_date(widget: forms.Widget) -> None:
    for kind, input_type, format_ in DATE_INPUTS:
        if type(widget) is kind:
            widget.input_type, widget.format = input_type, format_
