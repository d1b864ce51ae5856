"""Persons who leave a country: how many this year, what that demands, and whether the plan has it. Reads only."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Sum, TextChoices
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from compliance import law
from compliance.law import Limits
from handover.legal import places_of
from handover.models import Handover, Renewal, SentAbroad, TransferPlan
from handover.workflow import ExecutionState
from tenancy import rights

COUNTED = "CN"  # the jurisdiction whose thresholds the law data knows
_M = TransferPlan.Mechanism


class Demand(TextChoices):
    """What the number of persons demands."""

    NONE = "none", gettext_lazy("Nobody leaves: nothing is demanded")
    EXEMPT = "exempt", gettext_lazy("Below the thresholds: exempt")
    CONTRACT = "contract", gettext_lazy("Standard contract or certification")
    ASSESSMENT = "assessment", gettext_lazy("Security assessment")
    ANY = "any", gettext_lazy("A mechanism of the law that applies, named in the plan")


# Which mechanisms do. More than is demanded is never wrong.
ACCEPTED: Mapping[Demand, frozenset[str]] = {
    Demand.NONE: frozenset({"", *_M.values}),
    Demand.EXEMPT: frozenset(_M.values),
    Demand.CONTRACT: frozenset({_M.CONTRACT, _M.CERTIFICATION, _M.ASSESSMENT}),
    Demand.ASSESSMENT: frozenset({_M.ASSESSMENT}),
    Demand.ANY: frozenset(_M.values),
}


@dataclass(frozen=True, slots=True)
class Counter:
    """Persons whom the seller sent abroad since 1 January, before this handover and with it, beside the thresholds.
    `leaving`: with this handover, by the code of the jurisdiction that they leave."""

    year: int
    before: int
    sensitive_before: int
    leaving: dict[str, int]
    sensitive: int
    limits: Limits

    @property
    def counted(self) -> bool:
        """Whether there are thresholds beside which they are counted."""
        return COUNTED in self.leaving

    @property
    def persons(self) -> int:
        return self.before + self.leaving.get(COUNTED, 0)

    @property
    def sensitive_persons(self) -> int:
        return self.sensitive_before + self.sensitive

    @property
    def demand(self) -> Demand:
        if not self.leaving:
            return Demand.NONE
        if not self.counted:
            return Demand.ANY
        return demand_of(self.persons, self.sensitive_persons, self.limits)


def demand_of(persons: int, sensitive: int, limits: Limits) -> Demand:
    """What the thresholds demand for so many persons a year, so many of them with sensitive data."""
    if persons >= limits.assessment_from or sensitive >= limits.sensitive_assessment_from:
        return Demand.ASSESSMENT
    if persons >= limits.exempt_below or sensitive:
        return Demand.CONTRACT
    return Demand.EXEMPT


def counter_of(handover: Handover, now: datetime, sensitive: int | None = None) -> Counter:
    """The counter of a handover. `sensitive`: what a plan that is being written says; None: what the saved one says."""
    today = timezone.localdate(now)
    plan = getattr(handover, "plan", None)
    said = sensitive if sensitive is not None else getattr(plan, "sensitive_persons", None)
    sent = SentAbroad.objects.filter(
        execution__handover__seller=handover.seller_id,
        execution__state=ExecutionState.PROVEN,
        jurisdiction=COUNTED,
        at__year=today.year,
    ).exclude(execution__handover=handover)
    # Of all handovers of the seller, whoever asks; who may read the number is for the page to say.
    with rights.widened([handover.seller_id]):
        sums = sent.aggregate(persons=Sum("persons"), sensitive=Sum("sensitive"))
    leaving = places_of(handover).leaving
    return Counter(
        today.year, sums["persons"] or 0, sums["sensitive"] or 0, leaving, (said or 0) if leaving else 0, law.limits()
    )


# ---- what is wrong with a plan

_MISSING = gettext_lazy(
    "Persons leave their country with this handover, so the plan must record a mechanism: %(demand)s. "
    "Choose it in the plan, with its number."
)
_WRONG = gettext_lazy(
    "By the number of persons the law demands: %(demand)s. Choose that in the plan; “%(mechanism)s” is not enough."
)


@dataclass(frozen=True, slots=True)
class Mechanism:
    """What a plan says of the mechanism."""

    kind: str
    reference: str
    begins: date | None
    ends: date | None
    sensitive: int | None

    @property
    def label(self) -> str:
        """Its kind in words."""
        return str(_M(self.kind).label) if self.kind else ""


def renewal_in_force(handover: Handover) -> Renewal | None:
    """The newest renewal to which both sides have said yes."""
    agreed = Renewal.objects.filter(handover=handover, seller_at__isnull=False, buyer_at__isnull=False)
    return agreed.order_by("-created_at").first()


def mechanism_in_force(handover: Handover) -> Mechanism:
    """What counts: the newest agreed renewal, else what the plan says."""
    plan, renewed = handover.plan, renewal_in_force(handover)
    if renewed is None:
        return mechanism_of(plan)
    said = (renewed.mechanism, renewed.reference, renewed.valid_from, renewed.valid_until)
    return Mechanism(*said, plan.sensitive_persons)


def mechanism_of(plan: TransferPlan) -> Mechanism:
    """What a saved plan says."""
    return Mechanism(
        plan.mechanism, plan.mechanism_reference, plan.mechanism_from, plan.mechanism_until, plan.sensitive_persons
    )


def problems(said: Mechanism, counter: Counter, first_day: date, last_day: date) -> dict[str, str | Promise]:
    """What is wrong with the mechanism of a plan that starts on `first_day` and must be done by `last_day`, by the
    field of the plan that is to be put right."""
    if not counter.leaving:
        return {}
    if counter.counted and said.sensitive is None:
        return {"sensitive_persons": _("Say how many of those who leave have sensitive data; 0 if none.")}
    demand = counter.demand
    if not said.kind:
        return {"mechanism": _MISSING % {"demand": demand.label}}
    if said.kind not in ACCEPTED[demand]:
        return {"mechanism": _WRONG % {"demand": demand.label, "mechanism": _M(said.kind).label}}
    if not said.reference.strip():
        return {"mechanism_reference": _("Enter the number or the document of the mechanism, so that it can be found.")}
    return _times(said, counter, first_day, last_day)


def _times(said: Mechanism, counter: Counter, first_day: date, last_day: date) -> dict[str, str | Promise]:
    if said.kind != _M.EXEMPT and said.begins is None:
        return {"mechanism_from": _("Enter since when the mechanism is valid.")}
    if said.begins is not None and said.begins > first_day:
        return {"mechanism_from": _("The mechanism must be valid when the transfer starts.")}
    if said.kind == _M.ASSESSMENT and said.ends is None:
        return {"mechanism_until": _("Enter until when the security assessment is valid.")}
    if said.ends is not None and said.ends < last_day:
        message = _("The mechanism must be valid until %(date)s, when the handover must be completed.")
        return {"mechanism_until": message % {"date": date_format(last_day)}}
    years = counter.limits.assessment_years
    if said.kind == _M.ASSESSMENT and said.begins and said.ends and said.ends > law.years_on(said.begins, years):
        message = _("A security assessment is valid for %(years)s years. Look at the dates again.")
        return {"mechanism_until": message % {"years": years}}
    return {}


def obstacle(handover: Handover, now: datetime) -> str:
    """Why the transfer may not start as far as persons who leave are concerned, or an empty text: how many there are
    now, and what is valid today."""
    counter, today = counter_of(handover, now), timezone.localdate(now)
    if not counter.leaving:
        return ""
    said = mechanism_in_force(handover)
    if said.kind and said.ends is not None and said.ends < today:
        message = _(
            "The mechanism for persons who leave expired on %(date)s. The seller records its renewal, and a lead of "
            "each side says yes to it."
        )
        return message % {"date": date_format(said.ends)}
    wrong = problems(said, counter, today, today)
    return str(next(iter(wrong.values()), ""))
