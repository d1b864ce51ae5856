"""Which law touches a handover: its jurisdictions, what they ask at each stage, who leaves, what is demanded. Reads."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.countries import country_name
from compliance import law
from compliance.models import Jurisdiction, LegalBasis, Obligation
from customers.models import Customer
from handover.models import Disposition, Handover
from handover.workflow import HandoverState
from tenancy import rights


@dataclass(frozen=True, slots=True)
class Places:
    """Where a handover takes place. `customers`: how many live in which country; numbers that every side needs."""

    seller: str
    buyer: str
    customers: dict[str, int]
    known: list[Jurisdiction] = field(default_factory=list)

    @property
    def codes(self) -> list[str]:
        """Of the jurisdictions of both sides and of the customers, with standards that apply everywhere."""
        return [one.code for one in law.places_of([self.seller, self.buyer, *self.customers], self.known)]

    @property
    def unknown(self) -> list[str]:
        """Countries of which the law data says nothing, by name."""
        named = {country for one in self.known for country in one.countries}
        return [country_name(code) for code in sorted({self.seller, self.buyer, *self.customers} - named)]

    @property
    def counted(self) -> list[tuple[Jurisdiction, int]]:
        """How many customers live in each jurisdiction."""
        found = [(one, sum(self.customers.get(country, 0) for country in one.countries)) for one in self.known]
        return [(one, count) for one, count in found if count]

    @property
    def leaving(self) -> dict[str, int]:
        """How many persons leave which jurisdiction that asks for a mechanism: the buyer is not in it."""
        return {one.code: count for one, count in self.counted if one.mechanism and self.buyer not in one.countries}

    def named(self, counts: Mapping[str, int]) -> list[tuple[str, int]]:
        """Numbers by the codes of jurisdictions, by their names."""
        names = {one.code: one.name for one in self.known}
        return [(names.get(code, code), count) for code, count in counts.items()]


def places_of(handover: Handover) -> Places:
    """The places of a handover, read once for the life of the instance."""
    found = handover.__dict__.get("places")
    if found is None:
        with rights.widened([handover.seller_id]):
            rows = Customer.objects.filter(book__in=_books(handover)).order_by()
            customers = dict(rows.values_list("jurisdiction").annotate(count=Count("pk")))
        seller, buyer = handover.seller.country, handover.buyer.country
        found = handover.__dict__["places"] = Places(seller, buyer, customers, law.jurisdictions())
    return found


def _books(handover: Handover) -> list[UUID]:
    """The seller's book and, once who crossed was set apart, the restricted one: they belong to the handover still."""
    if handover.state == HandoverState.OPEN:
        return [handover.book_id]
    apart = Disposition.objects.filter(handover=handover, target__isnull=False).values_list("target", flat=True)
    return [handover.book_id, *apart]


def obligations_of(handover: Handover, stage: str = "") -> list[Obligation]:
    """What the law asks at a stage, or everywhere, of this kind of transaction in these places."""
    places = places_of(handover)
    return law.obligations(kind=handover.kind, places=places.codes, leaving=places.leaving, stage=stage)


def demanding(handover: Handover, what: str) -> Obligation | None:
    """The first obligation that demands this of the handover."""
    return next((one for one in obligations_of(handover) if what in one.demands), None)


def serving(basis: LegalBasis, handover: Handover) -> bool:
    """Whether a basis is in force and serves a jurisdiction in which customers of the book live."""
    return bool(_served(basis) & _living(handover))


def unserved(basis: LegalBasis, handover: Handover) -> list[str]:
    """The jurisdictions in which customers live and that the basis does not serve, by name; standards aside."""
    places = places_of(handover)
    return [one.name for one, _count in places.counted if one.code not in _served(basis)]


def basis_problem(basis: LegalBasis, handover: Handover) -> str:
    """Why the customers cannot cross on this basis, with what to do: it serves none of them, and others do. Else an
    empty text; so too where nobody lives in a place that a basis in force serves."""
    message = _(
        "The legal basis “%(basis)s” serves none of the customers, who live in: %(places)s. Choose in the plan "
        "one that serves them: %(bases)s."
    )
    return _unfit(basis, handover, message)


def basis_obstacle(handover: Handover) -> str:
    """The same of the basis of an agreed plan, since whose approval the law data or the customers may have changed."""
    message = _(
        "The legal basis “%(basis)s” serves none of the customers, who live in: %(places)s. The plan is agreed and "
        "stays as it is: stop this handover, and open a new one whose plan names one that serves them: %(bases)s."
    )
    basis = handover.plan.basis
    return _unfit(basis, handover, message) if basis else ""


def _unfit(basis: LegalBasis, handover: Handover, message: str) -> str:
    fitting = [] if serving(basis, handover) else [one.name for one in law.bases() if serving(one, handover)]
    if not fitting:
        return ""
    places, between = unserved(basis, handover), pgettext("list", ", ")
    return message % {"basis": basis.name, "places": between.join(places), "bases": between.join(fitting)}


def consent_warning(basis: LegalBasis | None, handover: Handover) -> str:
    """What to know of a basis that asks nobody (None: not chosen yet) where the law asks for the separate consent of
    those who leave their country. Else an empty text: counsel may know where they agreed, so it refuses nothing."""
    demanded = demanding(handover, law.CONSENT)
    if demanded is None or (basis is not None and basis.consent):
        return ""
    place = next(one.name for one in places_of(handover).known if one.code == demanded.jurisdiction)
    message = _(
        "Customers leave %(place)s: the law asks for notice and their separate consent (%(source)s). Nobody is asked "
        "here without a basis that asks for consent. Choose one, or have counsel say where they agreed."
    )
    return message % {"place": place, "source": demanded.source}


def _served(basis: LegalBasis) -> set[str]:
    """One that the law data no longer has serves nobody, though the plans that name it still know it."""
    return set() if basis.ended_at else set(basis.jurisdictions)


def _living(handover: Handover) -> set[str]:
    return {one.code for one, _count in places_of(handover).counted}
