"""Sending a package to the buyer's own place, and reading it back there."""

from handover.pushing.carriers import Carrier, Parcel, PushError, carrier_of

__all__ = ["Carrier", "Parcel", "PushError", "carrier_of"]
