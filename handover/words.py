"""How codes in the entries of this room read, by the name of the datum. Data only."""

from django.utils.translation import pgettext_lazy

from handover.after_workflow import TaskKind
from handover.models import TransferPlan
from handover.notice_workflow import Choice, MessageState
from handover.workflow import Side
from ledger.vocabulary import Words

WORDS: Words = {
    "side": {
        Side.SELLER.value: pgettext_lazy("side, within a sentence", "seller"),
        Side.BUYER.value: pgettext_lazy("side, within a sentence", "buyer"),
        Side.REVIEWER.value: pgettext_lazy("side, within a sentence", "reviewer"),
    },
    "answer": {one.value: one.label for one in Choice},
    "state": {one.value: one.label for one in MessageState},
    "kind": {one.value: one.label for one in TransferPlan.Disposition},
    "task": {one.value: one.label for one in TaskKind},
}
