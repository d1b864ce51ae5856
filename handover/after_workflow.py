"""What follows the certificate: states of the seller's copy, and the buyer's first tasks. Data only."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class DispositionState(TextChoices):
    RUNNING = "running", _("Running")
    WAITING = "waiting", _("Waits for the seller")
    DONE = "done", _("Done")


DISPOSITION_MOVES: dict[DispositionState, frozenset[DispositionState]] = {
    DispositionState.RUNNING: frozenset({DispositionState.WAITING, DispositionState.DONE}),
    DispositionState.WAITING: frozenset({DispositionState.RUNNING}),
    DispositionState.DONE: frozenset(),
}


class TaskKind(TextChoices):
    """In the order in which they are shown."""

    INFORM = "inform", _("Inform the customers that you hold their data now")
    RESPONSIBLE = "responsible", _("Appoint who answers for this data")
    ACCESS = "access", _("Give access to the people who need it, and to nobody else")
    RETENTION = "retention", _("Review how long the data is kept")
    TRAIN = "train", _("Train the people who will look after the data")
    NOTICE = "notice", _("Update the privacy notice")


# Days after the certificate. For informing customers the law data has a number of its own.
TASK_DAYS: dict[TaskKind, int] = {
    TaskKind.RESPONSIBLE: 7,
    TaskKind.ACCESS: 7,
    TaskKind.RETENTION: 14,
    TaskKind.TRAIN: 30,
    TaskKind.NOTICE: 30,
}
