"""The only writer of this room. Every function is one transaction and takes the time as `now`."""

from compliance.services.claims import claim, release
from compliance.services.decisions import decide
from compliance.services.reviews import open_review, withdraw_review
from compliance.services.screenings import screen_book
from compliance.services.work import (
    Answered,
    Noticed,
    Work,
    add_finding,
    answer_item,
    judge_hits,
    resolve_finding,
    save_work,
)

__all__ = [
    "Answered",
    "Noticed",
    "Work",
    "add_finding",
    "answer_item",
    "claim",
    "decide",
    "judge_hits",
    "open_review",
    "release",
    "resolve_finding",
    "save_work",
    "screen_book",
    "withdraw_review",
]
