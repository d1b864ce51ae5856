"""The one error of sending."""


class PushError(Exception):
    """It does not go on. The message is translated and says what to do; it never holds a secret."""
