"""What can go wrong in the vault. No message and no attribute ever holds a plaintext or a key."""


class VaultError(Exception):
    """Base of every vault error."""


class SealBroken(VaultError):  # noqa: N818
    """A sealed value, stream or wrapped key does not open here: it was changed, cut, moved to another record,
    column or table, or belongs to another key. Which of these, an attacker must not learn."""

    def __init__(self, message: str = "The sealed value does not open: it was changed, moved or cut.") -> None:
        super().__init__(message)


class KeyMissing(SealBroken):
    """There is no data key for this subject and category, and never was."""

    def __init__(self, message: str = "There is no data key for this subject and category.") -> None:
        super().__init__(message)


class KeyDestroyed(VaultError):  # noqa: N818
    """The key was destroyed on purpose; what it sealed is gone."""

    def __init__(self, message: str = "The key of this value was destroyed.") -> None:
        super().__init__(message)


class RootKeyUnusable(VaultError):  # noqa: N818
    """The root key is missing, readable by others, of the wrong length, or not the one that wrapped the keys."""
