"""Delivery reports (RFC 3464): which of our messages did not arrive. Reads mails, writes nothing."""

from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from mailbox import Maildir, mbox
from pathlib import Path

from handover.gateways.mail import key_in

_TO = ("To", "Delivered-To", "X-Original-To", "Envelope-To")
LARGEST = 5 * 2**20


def keys_in(raw: bytes) -> set[str]:
    """The keys of the messages that this report says have failed for good; none for any other mail."""
    mail = message_from_bytes(raw[:LARGEST], policy=policy.default)
    if not isinstance(mail, EmailMessage) or mail.get_content_type() != "multipart/report":
        return set()
    if not any(_has_failed(part) for part in mail.walk() if part.get_content_type() == "message/delivery-status"):
        return set()
    return {key for text in _addresses(mail) if (key := key_in(text))}


def _has_failed(part: Message) -> bool:
    """Whether a recipient's block says so: a delay is none yet, and a mail that went on is no failure."""
    blocks = part.get_payload()
    if not isinstance(blocks, list):
        return False
    return any(
        isinstance(block, Message) and str(block.get("Action", "")).strip().lower() == "failed" for block in blocks
    )


def _addresses(mail: EmailMessage) -> Iterator[str]:
    """Where the report was sent to: the sender's address of the message that came back."""
    for name in _TO:
        yield from (str(value) for value in mail.get_all(name, []))
    for part in mail.walk():
        # The returned message, or its headers alone.
        if part.get_content_type() in {"message/rfc822", "text/rfc822-headers"}:
            for inner in part.walk():
                yield from (str(value) for value in inner.get_all("Return-Path", []))


def mails_in(path: Path) -> Iterator[bytes]:
    """The mails of a file (one, or many as mbox) or of a Maildir, whose new ones are marked as read."""
    if path.is_dir():
        yield from _of_maildir(path)
    elif _begins(path, b"From "):
        yield from (bytes(one) for one in mbox(path, create=False))
    else:
        with path.open("rb") as file:
            yield file.read(LARGEST)


def _begins(path: Path, mark: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(mark)) == mark


def _of_maildir(path: Path) -> Iterator[bytes]:
    box = Maildir(path, create=False)
    for name in sorted(box.keys()):
        found = box[name]
        if found.get_subdir() != "new":
            continue
        yield bytes(found)
        found.set_subdir("cur")
        found.add_flag("S")
        box[name] = found
