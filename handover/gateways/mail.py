"""E-mail over the SMTP server of the settings. What comes back finds its message by the envelope's sender (VERP)."""

import re
from email.utils import parseaddr
from smtplib import SMTPRecipientsRefused, SMTPResponseException

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import BadHeaderError, EmailMessage, get_connection
from django.core.validators import validate_email

from handover.gateways.protocol import Message, NotAccepted

_PERMANENT = range(500, 600)
_RETURN = re.compile(r"\+n-([0-9a-f]{32}-[0-9]{1,4})@", re.IGNORECASE)


def is_address(text: str) -> bool:
    """Whether a text is one e-mail address that may stand in a header."""
    try:
        validate_email(text)
    except ValidationError:
        return False
    return text.isascii() and text.isprintable()


def return_address(key: str) -> str:
    """The envelope's sender of one message: the sender's address with the key in it."""
    local, _at, domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")
    return f"{local}+n-{key}@{domain}"


def key_in(address: str) -> str:
    """The key in an address that `return_address` made; empty if there is none."""
    found = _RETURN.search(address)
    return found[1].lower() if found else ""


class MailGateway:
    """One SMTP connection for all the messages of a chunk."""

    def __init__(self) -> None:
        self._connection = get_connection()

    def send(self, message: Message) -> None:
        if not is_address(message.to):
            raise NotAccepted
        sender = return_address(message.key)
        mail = EmailMessage(
            " ".join(message.subject.split()),
            message.body,
            sender,
            [message.to],
            connection=self._connection,
            headers={
                "From": settings.DEFAULT_FROM_EMAIL,
                "Message-ID": f"<{message.id}@{sender.rpartition('@')[2]}>",
                "Auto-Submitted": "auto-generated",
            },
        )
        try:
            # Open already, it stays so for the next one.
            self._connection.open()
            mail.send()
        except (BadHeaderError, SMTPRecipientsRefused, SMTPResponseException) as error:
            # The server's words repeat the address: nothing of them goes on.
            if _is_for_good(error):
                raise NotAccepted from None
            raise OSError("The mail server does not take messages now.") from None

    def close(self) -> None:
        self._connection.close()


def _is_for_good(error: Exception) -> bool:
    if isinstance(error, SMTPRecipientsRefused):
        return all(code in _PERMANENT for code, _words in error.recipients.values())
    return isinstance(error, BadHeaderError) or (
        isinstance(error, SMTPResponseException) and error.smtp_code in _PERMANENT
    )
