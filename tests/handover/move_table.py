"""The table of moves as the tests read it: what is known, who may do what, and the diagrams of docs/handover.md.

Written beside `handover.permissions` and `handover.services.moving`, never with them: it is what they are held to."""

from collections.abc import Iterator

from handover.workflow import MOVES, REQUIRED, Move, Rank, Side, StepKind, StepState

# Every move of every kind. Whoever adds one says here that it is meant, and what the tests do with it.
KNOWN = {
    StepKind.NECESSITY: {"open", "draft", "submit", "approve", "send_back", "reopen"},
    StepKind.SCOPE: {"open", "draft", "submit", "approve", "send_back", "reopen", "close"},
    StepKind.PLAN: {"open", "draft", "submit", "approve", "send_back", "reopen", "close"},
    StepKind.BACKUP: {"open", "start_backup", "backup_proven", "failed", "approve", "send_back", "reopen", "close"},
    StepKind.EXECUTION: {"open", "start", "verified", "failed", "reopen", "close"},
    StepKind.AUDIT: {"open", "draw_sample", "approve", "send_back", "close"},
}
NAMES = sorted({name for names in KNOWN.values() for name in names})

# The cast: on which side each of them stands, and as what. "platform" is nobody.
PLACES: dict[str, tuple[Side, Rank] | None] = {
    "seller_lead": (Side.SELLER, Rank.LEAD),
    "seller_clerk": (Side.SELLER, Rank.MEMBER),
    "buyer_lead": (Side.BUYER, Rank.LEAD),
    "buyer_clerk": (Side.BUYER, Rank.MEMBER),
    "reviewer": (Side.REVIEWER, Rank.LEAD),
    "second_reviewer": (Side.REVIEWER, Rank.LEAD),
    "agent": None,
    "stranger": None,
    "platform": None,
}
# Sides with a single person who may bind them: that one writes nothing that the side must approve.
ONE_LEAD = frozenset({Side.SELLER, Side.BUYER})


def moves(kind: StepKind, state: StepState, name: str) -> list[Move]:
    """What the table says of a name in a state; more than one entry would be ambiguous."""
    return [move for move in MOVES if move.name == name and kind in move.kinds and state in move.before]


def allowed(kind: StepKind, state: StepState, name: str, actor: str, side: Side | None) -> Move | None:
    """The move that an actor may make, speaking for a side, or None."""
    return next((move for move in moves(kind, state, name) if _may(kind, move, actor, side)), None)


def _may(kind: StepKind, move: Move, actor: str, side: Side | None) -> bool:
    if not move.sides:
        return actor == "platform" and side is None
    place = PLACES[actor]
    if place is None or side not in move.sides or place[0] != side:
        return False
    if move.rank is Rank.LEAD and place[1] is not Rank.LEAD:
        return False
    return not (move.writes and place[1] is Rank.LEAD and side in ONE_LEAD and side in REQUIRED[kind])


def arrows(kind: StepKind) -> set[tuple[str, StepState, StepState]]:
    """Every move of a kind with a state before and one after."""
    found = [move for move in MOVES if kind in move.kinds]
    return {(move.name, before, after) for move in found for before in move.before for after in move.after}


def diagram(kind: StepKind) -> str:
    """The states of a gate as a Mermaid diagram, from the table."""
    lines = sorted({line for move in MOVES if kind in move.kinds for line in _arrows(move)})
    return "\n".join(["```mermaid", "stateDiagram-v2", "    [*] --> shut", *lines, "```"])


def _arrows(move: Move) -> Iterator[str]:
    order = {state: place for place, state in enumerate(StepState)}
    who = ", ".join(side for side in Side if side in move.sides) or "platform"
    rank = f" {move.rank}" if move.sides and move.rank is Rank.LEAD else ""
    for before in sorted(move.before, key=order.__getitem__):
        for after in sorted(move.after, key=order.__getitem__):
            yield f"    {before} --> {after}: {move.name} ({who}{rank})"


def approvals() -> str:
    """Which sides must approve each gate, as the table of the document."""
    rows = [f"| {number} | {kind} | {', '.join(REQUIRED[kind])} |" for number, kind in enumerate(StepKind, start=1)]
    return "\n".join(["| | gate | must approve |", "|---|---|---|", *rows])
