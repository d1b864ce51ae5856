"""README.txt of a package, in Chinese and in English whatever language anybody reads the platform in."""

from django.template.loader import render_to_string
from django.utils import translation

from customers.transforms import label_of
from handover.package.manifest import Subject

_LANGUAGES = ("zh-hans", "en")


def readme(subject: Subject) -> bytes:
    """What this is, how it is opened and checked, and what its recipient has to do."""
    return "\n\n".join(_in(language, subject) for language in _LANGUAGES).encode()


def _in(language: str, subject: Subject) -> str:
    with translation.override(language):
        context = {
            "delivery": subject.delivery,
            "handover": subject.handover,
            "plan": subject.handover.plan,
            "file_format": subject.file_format,
            "changed": [label_of(key, done) for key, done in subject.execution.transforms.items()],
        }
        return render_to_string(f"handover/package/readme.{language}.txt", context)
