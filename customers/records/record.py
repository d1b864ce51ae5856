"""One customer in the clear, in memory only."""

from collections.abc import Iterable, Sequence
from uuid import UUID

import orjson

NOTHING: tuple[str, ...] = ("", "", "", "", "", "")

Row = tuple[str, ...]


class Record:
    """A customer with everything sealed about him. Values are strings, "" for none, in the order of `customers.fields`.

    `id`: the row it was read from; `write_records` gives each customer a new one and ignores it.
    `origin`: the id under which the customer first came onto the platform, None if that is `id`.
    `documents`: the purchases as stored, each the compact UTF-8 JSON array of its six strings: `purchases` parses them
    when asked, and what only passes through is never parsed. `destroyed`: categories whose data key was destroyed; they
    read as empty."""

    __slots__ = ("basic", "derived", "destroyed", "documents", "habit", "id", "jurisdiction", "origin")

    def __init__(  # noqa: PLR0917 - made a million times; the order is that of the contract
        self,
        id: UUID,  # noqa: A002 - the name of the column
        origin: UUID | None = None,
        jurisdiction: str = "CN",
        basic: Sequence[str] = NOTHING,
        purchases: Iterable[Sequence[str]] = (),
        habit: Sequence[str] | None = None,
        derived: bool = False,
        *,
        documents: list[bytes] | None = None,
        destroyed: frozenset[str] = frozenset(),
    ) -> None:
        self.id = id
        self.origin = origin
        self.jurisdiction = jurisdiction
        self.basic = basic
        self.documents = [orjson.dumps(purchase) for purchase in purchases] if documents is None else documents
        self.habit = habit
        self.derived = derived
        self.destroyed = destroyed

    def __repr__(self) -> str:
        return f"<Record {self.id}>"

    @property
    def purchases(self) -> list[Row]:
        """The purchases in their source order."""
        return [tuple(orjson.loads(document)) for document in self.documents]

    @property
    def identity(self) -> UUID:
        """The same for a customer in the seller's book and in the buyer's."""
        return self.origin or self.id
