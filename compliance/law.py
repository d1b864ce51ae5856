"""The law as pages and services ask for it: what is in force, the figures, and the bases. Reads only."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.core.exceptions import ImproperlyConfigured
from django.db.models import OuterRef, Subquery
from django.utils import timezone

from accounts.periods import months_after
from compliance.models import Jurisdiction, LegalBasis, Obligation

# What an obligation may demand; consent: of each customer of whom it speaks.
ASSESSMENT, CONSENT, CONTRACT, MECHANISM = "assessment", "consent", "contract", "mechanism"
RECORDS, ASSESSMENTS = "cn-contract", "cn-impact-assessment"
THRESHOLDS = "cn-abroad-thresholds"
INFORM = ("eu-indirect", "inform_days")  # the only law that names a number


def jurisdictions() -> list[Jurisdiction]:
    """Those in force, in the order of the law file."""
    return list(Jurisdiction.objects.filter(ended_at=None).order_by("since", "id"))


def places_of(countries: Iterable[str], known: Collection[Jurisdiction] | None = None) -> list[Jurisdiction]:
    """The jurisdictions of some countries, with the standards that apply everywhere."""
    wanted = set(countries)
    found = jurisdictions() if known is None else known
    return [one for one in found if not one.countries or wanted & set(one.countries)]


def obligations(*, kind: str, places: Collection[str], leaving: Collection[str], stage: str = "") -> list[Obligation]:
    """What the law asks of a transaction of this kind, in these jurisdictions. `kind` empty: not said, so all.
    `leaving`: the jurisdictions that persons leave. `stage` empty: everywhere."""
    found = Obligation.objects.filter(ended_at=None, jurisdiction__in=places)
    if stage:
        found = found.filter(stages__contains=[stage])
    here = Jurisdiction.objects.filter(ended_at=None, code=OuterRef("jurisdiction"))
    names = {name: Subquery(here.values(f"name_{name[-2:]}")[:1]) for name in ("place_en", "place_zh")}
    rows = found.annotate(**names).order_by("since", "id")
    return [one for one in rows if _of_kind(one, kind) and (not one.abroad or one.jurisdiction in leaving)]


def _of_kind(obligation: Obligation, kind: str) -> bool:
    return not kind or not obligation.kinds or kind in obligation.kinds


def number(code: str, name: str) -> int:
    """A figure of an obligation in force."""
    found = Obligation.objects.filter(code=code, ended_at=None).values_list("numbers", flat=True).first()
    if found is None or name not in found:
        raise ImproperlyConfigured(f"The law data has no {name} of {code}. Run: manage.py load_law")
    return int(found[name])


def source_of(code: str) -> str:
    """Where an obligation in force stands, for people to look up."""
    found = Obligation.objects.filter(code=code, ended_at=None).first()
    return found.source if found else ""


def years_on(day: date, years: int) -> date:
    """The same day some years later; the last of February where there is no such day."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long records are kept, and where that stands. `own`: a law of the places asked about says so."""

    months: int
    source: str
    own: bool


def keeping(asked: Iterable[Obligation] = ()) -> Keeping:
    """The longest time for which one of these obligations asks to keep records. Where none names a time: that of
    RECORDS, the longest that is known for providing data."""
    found = [(_months(one), one.code == RECORDS, one.source) for one in asked if _months(one)]
    if found:
        months, _records, source = max(found)
        return Keeping(months, source, own=True)
    return Keeping(12 * number(RECORDS, "keep_years"), source_of(RECORDS), own=False)


def _months(obligation: Obligation) -> int:
    return 12 * int(obligation.numbers.get("keep_years", 0)) + int(obligation.numbers.get("keep_months", 0))


def records_kept_until(day: date, asked: Iterable[Obligation] = ()) -> date:
    """Until when records of providing data are kept at least, from the day on which it was provided."""
    return months_after(day, keeping(asked).months)


def answer_days(country: str) -> int:
    """Within how many days a request of somebody there must be answered: the shortest time that a law which applies
    there names; where none names a number ("timely"), the shortest that any law names."""
    rows = Obligation.objects.filter(ended_at=None, numbers__has_key="answer_days")
    named = {one.jurisdiction: int(one.numbers["answer_days"]) for one in rows}
    if not named:
        raise ImproperlyConfigured("The law data is missing. Run: manage.py load_law")
    return min((named[one.code] for one in places_of([country]) if one.code in named), default=min(named.values()))


def request_due(country: str) -> timedelta:
    """`answer_days` as the customers' room asks for it."""
    return timedelta(days=answer_days(country))


# ---- bases


def bases() -> list[LegalBasis]:
    """The legal bases in force, in the order of the law file."""
    return list(LegalBasis.objects.filter(ended_at=None).order_by("since", "id"))


def basis(code: str) -> LegalBasis | None:
    """A legal basis as it was last known: plans outlive the law under which they were made."""
    return LegalBasis.objects.filter(code=code).order_by("-version").first()


# ---- thresholds for sending abroad


@dataclass(frozen=True, slots=True)
class Limits:
    """The figures beside which persons sent abroad are counted."""

    exempt_below: int
    assessment_from: int
    sensitive_assessment_from: int
    assessment_years: int


def limits() -> Limits:
    """The figures in force."""
    return Limits(**{name: number(THRESHOLDS, name) for name in Limits.__slots__})


def law_as_of() -> date:
    """The day as of which somebody looked through the law data."""
    found = Obligation.objects.filter(ended_at=None).order_by("-as_of").values_list("as_of", flat=True).first()
    return found or timezone.localdate()
