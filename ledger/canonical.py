"""The bytes of an entry that the tree hashes: described in docs/ledger.md, format 1."""

import json
from datetime import UTC

import orjson
from django.core.serializers.json import DjangoJSONEncoder

from ledger.models import Entry


def leaf_bytes(entry: Entry) -> bytes:
    """JSON with sorted keys, no spaces, UTF-8; times in UTC with microseconds, ids as lower-case text.

    Raises TypeError for data that JSON cannot hold (orjson refuses integers over 64 bits)."""
    return orjson.dumps(
        {
            "id": entry.pk,
            "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
            "actor": None if entry.actor is None else str(entry.actor),
            "actor_name": entry.actor_name,
            "verb": entry.verb,
            "object_type": entry.object_type,
            "object_id": str(entry.object_id),
            "audience": [str(organization) for organization in entry.audience],
            "data": json.loads(json.dumps(entry.data, cls=DjangoJSONEncoder)),
        },
        option=orjson.OPT_SORT_KEYS,
    )
