"""The only writer of permissions: a grant gives a team some of them on one book or handover; revoking takes them."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import Permission
from django.db import transaction
from django.db.models import Model
from django.utils.translation import gettext as _
from uuid_utils.compat import uuid7

from accounts.errors import AccountsError
from accounts.granting import Kind
from accounts.models import Team, TeamPermission, User
from accounts.permissions import may_manage_access
from accounts.services.teams import role_team
from ledger.services import record
from tenancy import rights


@transaction.atomic
def grant(
    *,
    actor: User,
    kind: Kind,
    team: Team,
    item: Model,
    permits: Collection[str],
    until: datetime | None,
    reason: str,
    now: datetime,
) -> UUID:
    """Give a team these permissions on a book or handover, `until` a time (None: no end). What it has already is given
    anew: the new end counts. Returns the id of the grant. Raises AccountsError without the right over the team, for
    what its organization has no part in, without a permission or a reason, and for an end that has passed."""
    team = Team.objects.select_for_update(of=("self",)).select_related("organization").get(pk=team.pk)
    if not may_manage_access(actor, team.organization):
        raise AccountsError(_("Only a lead of the organization or the agency does this. Ask one of them."))
    if not kind.items_of(team.organization_id).filter(pk=item.pk).exists():
        raise AccountsError(_("The team's organization has no part in this. Choose something of its own."))
    if not permits or not set(permits) <= set(kind.permits):
        raise AccountsError(_("Choose at least one of the permissions."))
    if not reason.strip():
        raise AccountsError(_("Write why the team gets this: it stands in the ledger with your name."))
    if until is not None and until <= now:
        raise AccountsError(_("This end has passed already. Choose a later day, or none."))
    given = give(kind.rows, team, item, permits, now, actor=actor, until=until, reason=reason.strip())
    _record(actor, "access.granted", kind, team, item.pk, permits, now, until=until, reason=reason.strip())
    return given


def give(
    rows: Any,  # a subclass of TeamPermission: its `content_object` is known to the room above alone
    team: Team,
    item: Model,
    permits: Iterable[str],
    now: datetime,
    *,
    actor: User | None = None,
    until: datetime | None = None,
    reason: str = "",
) -> UUID:
    """Write the permissions, inside the transaction of a caller that has checked and records it."""
    wanted = list(permits)
    found = Permission.objects.filter(
        codename__in=wanted,
        content_type__app_label=item._meta.app_label,
        content_type__model=item._meta.model_name,
    )
    known = {permission.codename: permission for permission in found}
    rows._default_manager.filter(group=team.group_id, content_object=item, permission__in=found).delete()
    number = uuid7()
    rows._default_manager.bulk_create(
        rows(
            group_id=team.group_id,
            permission=known[codename],
            content_object=item,
            grant=number,
            granted_by=actor,
            granted_at=now,
            expires_at=until,
            reason=reason,
        )
        for codename in wanted
    )
    return number


def give_by_role(
    rows: type[TeamPermission], item: Model, organization: UUID, permits: Mapping[str, Iterable[str]], now: datetime
) -> None:
    """What the teams of an organization's roles get when a book or handover begins: `permits` by role. Inside the
    transaction of the service that makes it."""
    # The teams of the other sides of a handover are not those of whoever opens it.
    with rights.widened([organization]):
        for role, wanted in permits.items():
            give(rows, role_team(organization, role), item, wanted, now)


@transaction.atomic
def revoke(*, actor: User, kind: Kind, grant: UUID, now: datetime, permits: Collection[str] | None = None) -> None:
    """Take the permissions of a grant from its team at once, or only some of them. Raises AccountsError without the
    right over the team, and when there is nothing to take any more."""
    if permits is not None and not permits:
        raise AccountsError(_("Choose at least one of the permissions."))
    rows = kind.rows._default_manager.select_for_update(of=("self",)).filter(grant=grant)
    if permits is not None:
        rows = rows.filter(permission__codename__in=permits)
    taken = list(rows.select_related("permission", "group__team__organization"))
    if not taken:
        raise AccountsError(_("Somebody was faster: this is revoked already. Reload the page."))
    team = taken[0].group.team
    if not may_manage_access(actor, team.organization):
        raise AccountsError(_("Only a lead of the organization or the agency does this. Ask one of them."))
    kind.rows._default_manager.filter(pk__in=[row.pk for row in taken]).delete()
    codenames = [row.permission.codename for row in taken]
    _record(actor, "access.revoked", kind, team, taken[0].content_object_id, codenames, now)


def _record(  # noqa: PLR0917 - the sentence order of the ledger
    actor: User,
    verb: str,
    kind: Kind,
    team: Team,
    item: UUID,
    permits: Collection[str],
    now: datetime,
    **data: object,
) -> None:
    facts = {"team": str(team), "organization": team.organization.name, "count": len(permits)}
    names = [codename for codename in kind.permits if codename in permits]
    record(actor, verb, kind.key, item, [team.organization_id], now, permits=names, **facts, **data)
