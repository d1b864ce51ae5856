"""Customers' notice: its states, those of one message, the answers, and every move that exists. Data only."""

from dataclasses import dataclass

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from handover.workflow import Rank


class NoticeState(TextChoices):
    DRAFT = "draft", _("Being written")
    APPROVED = "approved", _("Approved, not sent")
    SENDING = "sending", _("Being sent")
    OPEN = "open", _("Customers may answer")
    CLOSED = "closed", _("Answer period over")
    WITHDRAWN = "withdrawn", _("Withdrawn")


@dataclass(frozen=True, slots=True)
class NoticeMove:
    """One move of a notice by a person of the seller; `rank` None: the platform makes it."""

    name: str
    before: frozenset[NoticeState]
    after: NoticeState
    rank: Rank | None


_N = NoticeState
_TOLD = frozenset({_N.OPEN, _N.SENDING})

NOTICE_MOVES: tuple[NoticeMove, ...] = (
    # Written again, what was approved of it counts no more.
    NoticeMove("write", frozenset({_N.DRAFT, _N.APPROVED}), _N.DRAFT, Rank.MEMBER),
    NoticeMove("approve", frozenset({_N.DRAFT}), _N.APPROVED, Rank.LEAD),
    # From open: to customers who came in later, and once more to whom it did not reach.
    NoticeMove("send", frozenset({_N.APPROVED, _N.OPEN}), _N.SENDING, Rank.LEAD),
    NoticeMove("sent", frozenset({_N.SENDING}), _N.OPEN, None),
    # Also after the period: whoever came in since then is told by the next version.
    NoticeMove("withdraw", frozenset({_N.DRAFT, _N.APPROVED, _N.OPEN, _N.CLOSED}), _N.WITHDRAWN, Rank.LEAD),
    NoticeMove("close", frozenset({_N.OPEN}), _N.CLOSED, None),
)
# The one that counts: at most one of a handover.
LIVE = frozenset(NoticeState) - {_N.WITHDRAWN}
# Its links lead to a page.
LINKED = _TOLD | {_N.CLOSED}


def find_move(name: str) -> NoticeMove:
    """The move of that name."""
    return next(move for move in NOTICE_MOVES if move.name == name)


class Channel(TextChoices):
    """How a customer is told: the first for which there is an address."""

    EMAIL = "email", _("E-mail")
    SMS = "sms", _("Text message")
    POST = "post", _("Letter")
    NONE = "none", _("No address")


class MessageState(TextChoices):
    WAITING = "waiting", _("Waits")
    SENT = "sent", _("Sent")
    UNCLEAR = "unclear", _("Unclear whether it left")
    FAILED = "failed", _("Not accepted")
    BOUNCED = "bounced", _("Came back")
    UNDELIVERABLE = "undeliverable", _("No address works")


# What still has to happen before anybody may say that all customers were told.
UNSETTLED = frozenset({MessageState.WAITING, MessageState.UNCLEAR, MessageState.FAILED})
# These customers count as told only after a public announcement.
UNREACHED = frozenset({MessageState.BOUNCED, MessageState.UNDELIVERABLE})

MESSAGE_MOVES: dict[MessageState, frozenset[MessageState]] = {
    MessageState.WAITING: frozenset(
        {MessageState.SENT, MessageState.UNCLEAR, MessageState.FAILED, MessageState.UNDELIVERABLE}
    ),
    MessageState.SENT: frozenset({MessageState.BOUNCED, MessageState.WAITING}),
    MessageState.UNCLEAR: frozenset({MessageState.WAITING, MessageState.BOUNCED, MessageState.UNDELIVERABLE}),
    MessageState.FAILED: frozenset({MessageState.WAITING, MessageState.UNDELIVERABLE}),
    MessageState.BOUNCED: frozenset({MessageState.WAITING, MessageState.UNDELIVERABLE}),
    MessageState.UNDELIVERABLE: frozenset({MessageState.WAITING}),
}


class Choice(TextChoices):
    """What a customer answered."""

    NONE = "none", pgettext_lazy("answer of a customer", "No answer")
    OBJECTED = "objected", _("Objects")
    CONSENTED = "consented", _("Agrees")
    DECLINED = "declined", _("Does not agree")


class Way(TextChoices):
    """How an answer came in."""

    LINK = "link", _("By the link")
    SELLER = "seller", _("Told the seller")
    CARRIED = "carried", _("Answered an earlier version")


# What can be answered where the legal basis asks for consent, and where not; taking an answer back is always possible.
ANSWERS: dict[bool, tuple[Choice, ...]] = {
    False: (Choice.OBJECTED,),
    True: (Choice.CONSENTED, Choice.DECLINED),
}
