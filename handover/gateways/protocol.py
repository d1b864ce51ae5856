"""What every gateway does."""

from dataclasses import dataclass, field
from typing import Protocol


class NotAccepted(Exception):  # noqa: N818 - what happened to the message
    """This message will not be accepted, however often it is tried. Carries nothing of it."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one customer, in memory only. `key`: opaque; names the message where it comes back. `id`: another
    for each message, the same when it is tried again."""

    to: str = field(repr=False)
    subject: str
    body: str = field(repr=False)
    key: str
    id: str


class Gateway(Protocol):
    """A way out. `send` returns when the message was taken over. Raises NotAccepted for good; OSError (SMTP errors are
    among them) when it may work later."""

    def send(self, message: Message) -> None: ...
