"""Which carrier goes to which kind of place."""

from handover.models import DeliveryTarget
from handover.pushing.errors import PushError
from handover.pushing.objects import S3Carrier
from handover.pushing.parcels import Carrier, Parcel
from handover.pushing.sftp import SftpCarrier

__all__ = ["Carrier", "Parcel", "PushError", "carrier_of"]


def carrier_of(target: DeliveryTarget) -> Carrier:
    """The carrier to this place, with what opens it. Raises the vault's errors if that was destroyed."""
    return S3Carrier(target) if target.kind == DeliveryTarget.Kind.S3 else SftpCarrier(target)
