"""The one domain error of this room."""


class HandoverError(Exception):
    """A refused act. The message is translated, is shown to the person and says what to do."""
