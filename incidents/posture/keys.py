"""The keys: whether the root key is there for its owner alone, and how old keys are."""

import stat
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import Organization
from incidents.posture.lines import Line, State, by_age, days, days_since
from vault.models import OrganizationKey, SigningKey
from vault.root import FileRootKey, root_key
from vault.signing import organization_in

OLD = timedelta(days=365)


def keys(now: datetime) -> list[Line]:
    return [root(now), organizations(now), signing(now)]


def root(now: datetime) -> Line:
    """The file of the root key; another provider answers for itself."""
    title, provider = gettext_lazy("Root key"), root_key()
    if not provider.exists():
        return _without_root()
    if not isinstance(provider, FileRootKey):
        return Line("root_key", title, State.GREEN, _("The root key is kept by a key management service."))
    facts = provider.path.stat()
    if stat.S_IMODE(facts.st_mode) & 0o077:
        cure = _("Run “chmod 600 %(path)s” at once, and find out who could read it.") % {"path": provider.path}
        return Line("root_key", title, State.RED, _("Others than its owner can read the root key."), cure)
    made = datetime.fromtimestamp(facts.st_mtime, UTC)
    return _aged_root(provider.path, by_age(now - made, OLD), days_since(made, now))


def _aged_root(path: Path, state: State, age: int) -> Line:
    found = _("Only its owner can read it. The file is %(age)s old.") % {"age": days(age)}
    cure = ""
    if state != State.GREEN:
        cure = _("Check that a copy of %(path)s lies apart from the database and its backups, and plan a new one.")
        cure %= {"path": path}
    return Line("root_key", gettext_lazy("Root key"), state, found, cure)


def _without_root() -> Line:
    title = gettext_lazy("Root key")
    if OrganizationKey.objects.exists() or SigningKey.objects.exists():
        cure = _("Restore the file from its safe copy. Do not let the platform make a new one: it would open nothing.")
        return Line("root_key", title, State.RED, _("The root key is missing: no value opens."), cure)
    return Line("root_key", title, State.GREEN, _("Nothing is sealed yet: the root key is made with the first value."))


def organizations(now: datetime) -> Line:
    """The keys that wrap data keys. Index keys are left out: a new one would change every blind index."""
    current = OrganizationKey.objects.filter(purpose=OrganizationKey.Purpose.WRAP, retired_at=None)
    made = dict(current.order_by("created_at").values_list("organization", "created_at"))
    old = {key: at for key, at in made.items() if now - at > OLD}
    title = gettext_lazy("Keys of organizations")
    if not old:
        return Line("organization_keys", title, State.GREEN, _young(list(made.values()), now))
    names = Organization.objects.filter(pk__in=old).in_bulk()
    words = ngettext("%(count)d key is older than a year.", "%(count)d keys are older than a year.", len(old))
    named = (f"{names[key]} ({names[key].registration_number})" if key in names else str(key) for key in old)
    details = tuple(f"{name}: {days(days_since(at, now))}" for name, at in zip(named, old.values(), strict=True))
    cure = _("Rotate the keys of each at the organizations in the administration, or by “manage.py rotate_keys”.")
    return Line("organization_keys", title, State.AMBER, words % {"count": len(old)}, cure, details)


def signing(now: datetime) -> Line:
    """The keys that sign the ledger and certificates, and those with which organizations sign."""
    current = SigningKey.objects.filter(retired_at=None).order_by("created_at").values_list("name", "created_at")
    made = dict(current)
    old = tuple(f"{_named(name)}: {days(days_since(at, now))}" for name, at in made.items() if now - at > OLD)
    title = gettext_lazy("Signing keys")
    if not old:
        return Line("signing_keys", title, State.GREEN, _young(list(made.values()), now))
    words = ngettext("%(count)d key is older than a year.", "%(count)d keys are older than a year.", len(old))
    cure = _(
        "Decide whether it goes on: what it signed is checked with it, so another one starts a ledger of its own. "
        "Replace it if anybody else may have seen the root key."
    )
    return Line("signing_keys", title, State.AMBER, words % {"count": len(old)}, cure, old)


def _named(name: str) -> str:
    """An organization by its name instead of its id."""
    key = organization_in(name)
    organization = Organization.objects.filter(pk=key).first() if key else None
    return f"{organization} ({organization.registration_number})" if organization else name


def _young(made: Sequence[datetime], now: datetime) -> str:
    if not made:
        return _("There is none yet.")
    words = ngettext("%(count)d key, the oldest %(age)s old.", "%(count)d keys, the oldest %(age)s old.", len(made))
    return words % {"count": len(made), "age": days(days_since(min(made), now))}
