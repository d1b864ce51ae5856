"""What a reviewer must answer, per kind of review: data. The code is stored, the text is translated when shown.
Sources: PIPL is the Personal Information Protection Law of China; NDR the Network Data Security Regulations."""

from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from compliance.models import Review


class Question(NamedTuple):
    """`code` is stored with the answer, at most 30 characters; `text` and `hint` are shown."""

    code: str
    text: str | Promise
    hint: str | Promise


CHECKLISTS: dict[str, tuple[Question, ...]] = {
    Review.Kind.NECESSITY: (
        Question("purpose", _("The purpose is specific"), _("It names what the buyer will do with the data. PIPL 6")),
        Question("categories", _("Each category is needed"), _("Each one serves the stated purpose. PIPL 6, 19")),
        Question("fields", _("No field goes beyond the purpose"), _("Fewer fields would not do. PIPL 6")),
        Question("sensitive", _("Sensitive data is left out or has separate consent"), _("PIPL 28 to 29")),
        Question("children", _("Children under 14 are left out or guardians agreed"), _("PIPL 31")),
    ),
    Review.Kind.PLAN: (
        Question("basis", _("The legal basis is named and fits"), _("Merger or providing to another. PIPL 22, 23")),
        Question("notice", _("Customers are told who receives their data"), _("Name, contact and purpose. PIPL 22")),
        Question("method", _("Format and method protect the data"), _("Sealed on the way and at rest. PIPL 51")),
        Question("duties", _("The duties of both sides are agreed in writing"), _("NDR 12, 14")),
        Question("retention", _("It is stated how long each category is kept"), _("Seller and buyer. PIPL 19, 47")),
        Question("copy", _("What becomes of the seller’s copy is justified"), _("If it is kept: why. PIPL 6, 19, 47")),
        Question("assessment", _("The impact assessment is done"), _("Kept at least 3 years. PIPL 55 to 56")),
    ),
    Review.Kind.BACKUP: (
        Question("complete", _("The backup holds every customer of the scope"), _("Compare the counts")),
        Question("sealed", _("The backup is encrypted"), _("Nothing in it can be read without the keys. PIPL 51")),
        Question("restored", _("A test restore gave the same Merkle root"), _("Compare the two marks")),
        Question("ends", _("It is stated when the backup is destroyed"), _("PIPL 47")),
    ),
    Review.Kind.AUDIT: (
        Question("counts", _("The counts of both sides agree"), _("Customers, purchases and habits")),
        Question("roots", _("The Merkle roots agree"), _("Computed before from the source, after from the target")),
        Question("sample", _("The sampled records agree field for field"), _("Compare them side by side")),
        Question("scope", _("Nothing outside the agreed scope crossed"), _("Fields and customers")),
        Question("objections", _("Objections are honored"), _("Customers who objected did not cross. PIPL 44")),
        Question("content", _("Nothing unlawful was transferred"), _("Content, rights of others, regulations")),
    ),
    Review.Kind.CONTENT: (
        Question("illegal", _("No illegal content"), _("Read the hits of the term list")),
        Question("others", _("No data of other people"), _("Names or numbers of third persons in free text")),
        Question("numbers", _("No identity or card numbers in free text"), _("Judge each hit")),
        Question("sensitive", _("Sensitive data has separate consent"), _("PIPL 28 to 29")),
        Question("children", _("Children under 14 have a guardian’s consent"), _("PIPL 31")),
    ),
}


def questions_of(kind: str) -> dict[str, Question]:
    """The questions of one kind of review by their code."""
    return {question.code: question for question in CHECKLISTS[kind]}
