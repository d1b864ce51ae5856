class AccountsError(Exception):
    """What a person, an organization or a membership cannot be. The message is translated and says what to do."""
