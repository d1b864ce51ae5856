"""Publishing a version of an agreement, and signing it."""

import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from uuid import UUID

from django.db import connection, transaction
from django.utils.translation import gettext as _

from accounts.courses import LANGUAGES
from accounts.errors import AccountsError
from accounts.models import Agreement, Organization, Signature, User
from accounts.prose import text_hash, tidy
from accounts.selectors import agreements_in_force, organizations_of
from ledger.services import record

_PLATFORM_TEXT = Path(__file__).parents[1] / "data" / "agreement.json"


@transaction.atomic
def publish_agreement(
    *,
    actor: User | None,
    organization: Organization | None,
    handover: UUID | None,
    title_zh: str,
    title_en: str,
    text_zh: str,
    text_en: str,
    now: datetime,
    audience: Iterable[UUID] = (),
) -> Agreement:
    """Publish the next version for an organization, a handover, or (both None) the platform. Whoever it applies to must
    sign it before they open customer data again. The caller has checked that `actor` may (`accounts.publishing`).

    Raises AccountsError when a text is empty, or when it is word for word the version in force."""
    texts = {"title_zh": title_zh, "title_en": title_en, "text_zh": text_zh, "text_en": text_en}
    texts = {name: tidy(text) for name, text in texts.items()}
    if not all(texts.values()):
        raise AccountsError(_("Write title and text in both languages: everybody signs in one that they read."))
    _one_after_the_other()
    before = Agreement.objects.filter(organization=organization, handover=handover).order_by("-version").first()
    agreement = Agreement(
        organization=organization,
        handover=handover,
        version=before.version + 1 if before else 1,
        text_hash=text_hash(**texts),
        published_at=now,
        published_by=actor,
        **texts,
    )
    if before and before.text_hash == agreement.text_hash:
        raise AccountsError(_("This is word for word the version in force. Change the text, or keep that version."))
    agreement.save(force_insert=True)
    facts = {"version": agreement.version, "text_hash": agreement.text_hash}
    record(actor, "agreement.published", "agreement", agreement.pk, audience, now, **facts)
    return agreement


def _one_after_the_other() -> None:
    """Two versions with the same number cannot be. A lock on the newest would not do: there may be none yet, and who
    waited for it would still see that one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('accounts.agreement'))")


def platform_texts() -> dict[str, str]:
    """Titles and texts of the platform's first version, by field."""
    parts = json.loads(_PLATFORM_TEXT.read_text(encoding="utf-8"))
    return {name: text if isinstance(text, str) else "\n\n".join(text) for name, text in parts.items()}


@transaction.atomic
def ensure_platform_agreement(*, now: datetime) -> Agreement:
    """The platform's own agreement in force; the first version is published when there is none."""
    found = agreements_in_force([(None, None)])
    if found:
        return found[0]
    return publish_agreement(actor=None, organization=None, handover=None, audience=(), now=now, **platform_texts())


@transaction.atomic
def sign(
    *, actor: User, agreement: Agreement, name: str, address: str | None, language: str, text_hash: str, now: datetime
) -> Signature:
    """Sign the version in force with one's name. `text_hash`: that of the text on the page; `address`: where the
    request came from; `language`: "zh" or "en", in which it was read.

    Raises AccountsError for a name that is not the person's, for a text that is not the agreement's, when a newer
    version is in force, and when it is signed already."""
    scope = (agreement.organization_id, agreement.handover)
    newest = agreements_in_force([scope])[0]
    if newest.pk != agreement.pk or text_hash != newest.text_hash or language not in LANGUAGES:
        raise AccountsError(
            _("A newer version has been published since you opened the page. Read that one and sign it.")
        )
    if _plain(name) != _plain(actor.name):
        raise AccountsError(_("Type your name exactly as it is in your account: %(name)s.") % {"name": actor.name})
    signature, created = Signature.objects.get_or_create(
        agreement=agreement,
        user=actor,
        defaults={
            "name": name.strip(),
            "at": now,
            "address": address,
            "text_hash": newest.text_hash,
            "language": language,
        },
    )
    if not created:
        raise AccountsError(_("You have signed this version already. Your copy is under “My clearance”."))
    facts = {"version": newest.version, "text_hash": newest.text_hash, "language": language}
    record(actor, "agreement.signed", "agreement", agreement.pk, organizations_of(actor), now, **facts)
    return signature


def _plain(name: str) -> str:
    return " ".join(name.split()).casefold()
