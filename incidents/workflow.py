"""States of an incident, who may move it from one to another: data only."""

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class IncidentState(TextChoices):
    REPORTED = "reported", _("Reported")
    ASSESSING = "assessing", _("Being assessed")
    CONTAINED = "contained", _("Contained")
    CLOSED = "closed", _("Closed")


class Actor(TextChoices):
    """What a person is to one incident. The first that fits counts, in this order."""

    AGENCY = "agency", _("Agency staff")
    LEAD = "lead", _("A lead of an organization that it concerns")
    MEMBER = "member", _("A member of an organization that it concerns")
    REPORTER = "reporter", _("The person who reported it")
    OUTSIDER = "outsider", _("Anybody else")


HANDLERS = frozenset({Actor.AGENCY, Actor.LEAD})
WRITERS = HANDLERS | {Actor.MEMBER, Actor.REPORTER}
_AGENCY = frozenset({Actor.AGENCY})

_S = IncidentState

# (from, to): who may do it, the usual next move of a state first. Only the agency opens a closed incident again.
MOVES: dict[tuple[IncidentState, IncidentState], frozenset[Actor]] = {
    (_S.REPORTED, _S.ASSESSING): HANDLERS,
    (_S.ASSESSING, _S.CONTAINED): HANDLERS,
    (_S.ASSESSING, _S.CLOSED): HANDLERS,
    (_S.CONTAINED, _S.CLOSED): HANDLERS,
    (_S.CONTAINED, _S.ASSESSING): HANDLERS,
    (_S.CLOSED, _S.ASSESSING): _AGENCY,
}

# To close an incident, or to open it again, somebody says why.
NEEDS_TEXT: frozenset[tuple[IncidentState, IncidentState]] = frozenset(
    {(_S.ASSESSING, _S.CLOSED), (_S.CONTAINED, _S.CLOSED), (_S.CONTAINED, _S.ASSESSING), (_S.CLOSED, _S.ASSESSING)}
)

# What the button of a move says.
LABELS: dict[tuple[IncidentState, IncidentState], str | Promise] = {
    (_S.REPORTED, _S.ASSESSING): _("Start the assessment"),
    (_S.ASSESSING, _S.CONTAINED): _("Mark as contained"),
    (_S.ASSESSING, _S.CLOSED): _("Close, nothing to contain"),
    (_S.CONTAINED, _S.CLOSED): _("Close the incident"),
    (_S.CONTAINED, _S.ASSESSING): _("Assess it again"),
    (_S.CLOSED, _S.ASSESSING): _("Open it again"),
}
