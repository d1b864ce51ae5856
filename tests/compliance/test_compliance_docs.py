"""docs/compliance.md says what the code does."""

import re
from pathlib import Path

from compliance.workflow import MOVES, Actor, ReviewState

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "compliance.md").read_text()


def diagram() -> str:
    """The transition table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {ReviewState.WAITING}"]
    for source in ReviewState:
        moves = [(act, move) for (state, act), move in MOVES.items() if state == source]
        for act, move in moves:
            actors = ", ".join(actor for actor in Actor if actor in move.actors)
            lines.append(f"    {source} --> {move.to}: {act} ({actors})")
        if not moves:
            lines.append(f"    {source} --> [*]")
    return "\n".join(lines)


def test_the_diagram_is_the_transition_table():
    assert re.findall(r"```mermaid\n(.*?)\n```", TEXT, re.S) == [diagram()], diagram()


def test_every_actor_is_explained():
    assert not [actor for actor in Actor if actor != Actor.OUTSIDER and f"**{actor}**" not in TEXT]
