"""Text messages. A provider's gateway is named in the settings (SMS_GATEWAY); for development there is one of files."""

import os
from pathlib import Path
from typing import cast

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from handover.gateways.protocol import Gateway, Message


class FileGateway:
    """Writes each message to a file of its own, mode 0600, in `SMS_FOLDER`. The files hold numbers and texts in clear:
    in development only."""

    def __init__(self) -> None:
        if not settings.DEBUG:
            raise ImproperlyConfigured("The SMS gateway of files is for development: name a provider in SMS_GATEWAY.")
        self._folder = Path(settings.SMS_FOLDER)

    def send(self, message: Message) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        place = self._folder / f"{message.id}.txt"
        # The same message again (its transaction was lost) writes the same file.
        descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(f"{message.to}\n{message.body}\n")


def sms_gateway() -> Gateway | None:
    """The gateway of the settings; None where there is none: then nobody is told by text message."""
    return cast(Gateway, import_string(settings.SMS_GATEWAY)()) if settings.SMS_GATEWAY else None
