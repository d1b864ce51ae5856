"""The whole ledger as JSON lines that `bin/verify-ledger` checks without Django: see docs/ledger.md."""

from base64 import b64encode
from collections.abc import Iterator

import orjson

from ledger.canonical import leaf_bytes
from ledger.models import Checkpoint, Leaf
from ledger.sealing import KEY, origin
from vault.signing import public_key

FORMAT = "handover-ledger/1"
LEAVES_AT_ONCE = 2000


def lines() -> Iterator[bytes]:
    """Header; then for each checkpoint its entries, byte for byte what was hashed, and the checkpoint itself.

    Entries after the last checkpoint are not in it: nothing proves them yet."""
    latest = Checkpoint.objects.order_by("-size").first()
    header = {"format": FORMAT, "origin": origin(), "public_key": b64encode(public_key(KEY)).decode()}
    yield orjson.dumps(header | {"entries": latest.size if latest else 0}) + b"\n"
    first = 0
    if latest is None:
        return
    for checkpoint in Checkpoint.objects.filter(size__lte=latest.size).order_by("size").iterator(chunk_size=1000):
        hashes: list[str] = []
        leaves = Leaf.objects.filter(index__gte=first, index__lt=checkpoint.size).order_by("index")
        for leaf in leaves.select_related("entry").iterator(chunk_size=LEAVES_AT_ONCE):
            hashes.append(bytes(leaf.hash).hex())
            yield leaf_bytes(leaf.entry) + b"\n"
        yield orjson.dumps({"checkpoint": checkpoint.note, "leaves": hashes}) + b"\n"
        first = checkpoint.size
