"""Recompute the whole tree from the entries and compare it with what was stored and signed."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from django.db.models import Max

from ledger import merkle, notes
from ledger.canonical import leaf_bytes
from ledger.models import Checkpoint, Entry, Leaf, Verification
from ledger.sealing import KEY, origin, unsealed
from vault.signing import public_key

LEAVES_AT_ONCE = 5000


@dataclass(slots=True)
class Report:
    """What was read and what is wrong, in plain English for the terminal and for logs."""

    at: datetime
    leaves: int = 0
    checkpoints: int = 0
    unsealed: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not self.problems


class _Walk:
    """The tree as it grows along the leaves, checked at each checkpoint."""

    def __init__(self, report: Report, public: bytes) -> None:
        self.report, self.public = report, public
        self.frontier = merkle.Frontier()
        self.from_index = 0

    def leaf(self, index: int, stored: bytes, entry: Entry | None, number: int) -> None:
        place = f"entry #{number} at place {index}"
        if entry is None:
            self.report.problems.append(f"{place} is missing: it was deleted")
        elif merkle.leaf_hash(leaf_bytes(entry)) != stored:
            self.report.problems.append(f"{place} is not what was sealed: it was changed")
        # The stored hash goes on: if the signed root confirms it, the entry named above is the one that changed.
        self.frontier.append(stored)

    def gap(self, index: int) -> None:
        while self.frontier.size < index:
            self.report.problems.append(f"place {self.frontier.size} is missing: its leaf was deleted")
            self.frontier.append(bytes(32))

    def checkpoint(self, checkpoint: Checkpoint) -> None:
        self.report.checkpoints += 1
        name = f"checkpoint {checkpoint.size}"
        for wrong in self._wrong_with(checkpoint):
            self.report.problems.append(f"{name}: {wrong}")
        self._adopt(checkpoint)
        self.from_index = checkpoint.size

    def _wrong_with(self, checkpoint: Checkpoint) -> Iterator[str]:
        try:
            note = notes.parse(checkpoint.note)
        except notes.NoteError:
            yield "its note is not a checkpoint"
            return
        if note.origin != origin():
            yield f"its origin is {note.origin}, not {origin()}"
        if not notes.verify(note, origin(), self.public):
            yield "its signature is not by the ledger's key"
        if note.size != checkpoint.size or note.root != bytes(checkpoint.root):
            yield "its size or root is not what was signed"
        if self.frontier.size != checkpoint.size or self.frontier.root() != note.root:
            yield f"the places {self.from_index} to {checkpoint.size - 1} do not give the signed root"
        elif self.frontier.to_bytes() != bytes(checkpoint.frontier):
            yield "its frontier was changed"

    def _adopt(self, checkpoint: Checkpoint) -> None:
        """Go on from the signed state, so that one wrong range is reported once."""
        try:
            frontier = merkle.Frontier.from_bytes(checkpoint.size, bytes(checkpoint.frontier))
        except ValueError:
            return
        if frontier.root() == bytes(checkpoint.root):
            self.frontier = frontier


def verify(now: datetime) -> Report:
    """Read everything once, in batches; keep the outcome for the ledger's page and the security posture.

    Each checkpoint is compared with the one tree that all entries gives: every later one extends every earlier one."""
    report = Report(at=now)
    head = _head()
    walk = _Walk(report, public_key(KEY))
    checkpoints = Checkpoint.objects.filter(size__lte=head).order_by("size").iterator(chunk_size=1000)
    due = next(checkpoints, None)
    for index, stored, entry, number in _leaves(head):
        while due is not None and index >= due.size:
            walk.gap(due.size)
            walk.checkpoint(due)
            due = next(checkpoints, None)
        walk.gap(index)
        walk.leaf(index, stored, entry, number)
        report.leaves += 1
    last = walk.frontier.size
    while due is not None:
        walk.gap(due.size)
        walk.checkpoint(due)
        last, due = due.size, next(checkpoints, None)
    if walk.frontier.size > max(walk.from_index, 0) and last > walk.from_index:
        report.problems.append(f"the places {walk.from_index} to {last - 1} are under no checkpoint")
    report.unsealed = unsealed().count()
    _remember(report)
    return report


def last_verification() -> Verification | None:
    """The newest run; None if nobody ran one."""
    return Verification.objects.order_by("-pk").first()


def _remember(report: Report) -> None:
    facts = {"leaves": report.leaves, "checkpoints": report.checkpoints, "problems": len(report.problems)}
    Verification.objects.create(at=report.at, holds=report.holds, **facts)


def _head() -> int:
    """How far to read, so that what is sealed in the meantime does not look half-written."""
    leaves = Leaf.objects.aggregate(last=Max("index"))["last"]
    size = Checkpoint.objects.aggregate(last=Max("size"))["last"]
    return max(0 if leaves is None else leaves + 1, size or 0)


def _leaves(head: int) -> Iterator[tuple[int, bytes, Entry | None, int]]:
    leaves = Leaf.objects.filter(index__lt=head).order_by("index")
    rows = leaves.values_list("index", "hash", "entry_id").iterator(chunk_size=LEAVES_AT_ONCE)
    while batch := list(islice(rows, LEAVES_AT_ONCE)):
        entries = Entry.objects.in_bulk([number for _index, _hash, number in batch])
        for index, stored, number in batch:
            yield index, bytes(stored), entries.get(number), number
