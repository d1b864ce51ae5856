"""Codes in the entries of the ledger read as words, not as codes."""

import pytest

from handover.models import TransferPlan
from ledger import vocabulary
from ledger.models import Entry


@pytest.mark.parametrize(
    ("verb", "data", "words"),
    [
        ("handover.disposition.started", {"kind": "destroy"}, TransferPlan.Disposition.DESTROY.label),
        ("handover.task_done", {"task": "train"}, "Train the people who will look after the data"),
        ("handover.notice.answered", {"answer": "objected"}, "Objects"),
        ("handover.notice.settled", {"state": "bounced"}, "Came back"),
        ("handover.execution.start", {"side": "buyer"}, "for the buyer"),
    ],
)
def test_a_code_reads_as_its_words(verb, data, words):
    said = vocabulary.sentence(Entry(verb=verb, actor_name="Wu Jiayi", data=data))
    assert str(words) in said and next(iter(data.values())) not in said.replace(str(words), "")
