"""What of a source record arrives at the buyer: cut to the scope, then transformed. The one place where that is
decided, for the transfer, for comparing what arrived, and for the audit."""

from dataclasses import dataclass
from uuid import UUID

from customers.fields import Scope
from customers.records import Record, leaf, project
from customers.transforms import Transform, Transforms, transformed, unsearchable
from handover.content import agreed_fields, agreed_transforms
from handover.models import Execution, Handover
from vault.pseudonyms import Pseudonyms, load_pseudonyms


@dataclass(frozen=True, slots=True)
class Agreed:
    """What an execution carries. Pseudonyms are those of this execution: equal for equal values, and nobody's after its
    key is destroyed."""

    scope: Scope
    transforms: Transforms
    pseudonyms: Pseudonyms

    def of(self, record: Record) -> Record:
        """The record as it will arrive."""
        return transformed(project(record, self.scope), self.transforms, self.pseudonyms)

    def leaf(self, arriving: Record) -> bytes:
        """The Merkle leaf of a record as it arrives."""
        return leaf(arriving, self.scope)

    @property
    def unsearchable(self) -> frozenset[str]:
        """The fields that nobody is found by at the buyer."""
        return unsearchable(self.transforms)


def agreed_in(execution: Execution) -> Agreed:
    """Raises KeyDestroyed once the execution was undone or certified, if there are pseudonyms."""
    return Agreed(frozenset(execution.scope), execution.transforms, _pseudonyms(execution.pk, execution.transforms))


def foreseen(handover: Handover) -> Agreed:
    """What an execution would carry as it is agreed now, with pseudonyms that nobody keeps."""
    return Agreed(frozenset(agreed_fields(handover)), agreed_transforms(handover), Pseudonyms.thrown_away())


def needs_pseudonyms(transforms: Transforms) -> bool:
    """Whether there is anything to make pseudonyms of."""
    return Transform.PSEUDONYMIZE in transforms.values()


def _pseudonyms(execution: UUID, transforms: Transforms) -> Pseudonyms:
    return load_pseudonyms(execution) if needs_pseudonyms(transforms) else Pseudonyms.thrown_away()
