from django import template

from ledger import vocabulary
from ledger.models import Checkpoint, Entry

register = template.Library()


@register.filter
def sentence(entry: Entry) -> str:
    """The entry as a translated sentence."""
    return vocabulary.sentence(entry)


@register.filter
def timeline_class(entry: Entry) -> str:
    """`is-gate`, `is-bad` or nothing."""
    kind = vocabulary.kind_of(entry)
    return f"is-{kind}" if kind else ""


@register.filter
def root_hex(checkpoint: Checkpoint) -> str:
    """The root in hexadecimal."""
    return bytes(checkpoint.root).hex()
