class CustomersError(Exception):
    """A rule of the room was not met; the message is translated and says what to do."""
