"""The buyer's own place for the package: written by a lead of the buyer, who binds it, and tried before it is used."""

import re
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from urllib.parse import SplitResult, urlsplit

import asyncssh
import orjson
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.permissions import is_lead
from handover.errors import HandoverError
from handover.models import Delivery, DeliveryTarget, Handover, Push
from handover.models.delivery import CATEGORY
from handover.pushing import PushError, carrier_of
from handover.services.moving import record
from handover.workflow import HandoverState
from jobs.transitions import UNFINISHED
from vault.services import ensure_data_keys

_HOST = re.compile(r"[0-9A-Za-z]([0-9A-Za-z.:-]*[0-9A-Za-z])?")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]*")
_REGION = re.compile(r"[a-z0-9-]{1,40}")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_WEAKEST_RSA = 3072


@dataclass(frozen=True, slots=True)
class ServerTerms:
    """A folder on a server. `host_key`: a line as in known_hosts or in the server's own .pub file. `new_key`: make the
    platform's key for this place anew."""

    host: str
    port: int
    username: str
    folder: str
    host_key: str
    new_key: bool = False


@dataclass(frozen=True, slots=True)
class BucketTerms:
    """A bucket. `secret_key` empty: the one that was stated before stays."""

    endpoint: str
    region: str
    bucket: str
    folder: str
    access_key: str
    secret_key: str
    by_path: bool = False


@transaction.atomic
def write(*, actor: User, handover: Handover, terms: ServerTerms | BucketTerms, now: datetime) -> DeliveryTarget:
    """State where the package goes. Raises HandoverError for anybody but a lead of the buyer, when the plan sends
    nothing there, while a package is on its way, and for what cannot be."""
    _require_may_write(actor, handover)
    kind = DeliveryTarget.Kind.SFTP if isinstance(terms, ServerTerms) else DeliveryTarget.Kind.S3
    if kind != handover.plan.method:
        raise HandoverError(_("The plan names another way of sending. Reload the page."))
    if problems := problems_of(terms):
        raise HandoverError(next(iter(problems.values())))
    target = DeliveryTarget.objects.select_for_update().filter(handover=handover).first()
    target = target or DeliveryTarget(handover=handover, kind=kind)
    target.kind = kind
    ensure_data_keys(handover.buyer_id, [target.pk], [CATEGORY], now)
    _server(target, terms) if isinstance(terms, ServerTerms) else _bucket(target, terms)
    target.digest = sha256(orjson.dumps(target.terms, option=orjson.OPT_SORT_KEYS)).digest()
    target.written_by, target.written_at, target.checked_at, target.problem = actor, now, None, ""
    target.save()
    record(actor, "handover.target.written", handover, now, kind=kind, digest=bytes(target.digest).hex())
    return target


def _require_may_write(actor: User, handover: Handover) -> None:
    if not is_lead(actor, handover.buyer_id):
        raise HandoverError(_("Only a lead of the buyer says where the package goes. Ask one of them."))
    plan = getattr(handover, "plan", None)
    if plan is None or not plan.is_pushed or handover.state == HandoverState.STOPPED:
        raise HandoverError(_("Nothing is sent to a place of the buyer's in this handover: the plan would say so."))
    if Push.objects.filter(delivery__handover=handover, job__state__in=UNFINISHED).exists():
        raise HandoverError(_("A package is on its way. Wait until it has arrived, or cancel the sending first."))
    if Delivery.objects.filter(handover=handover, destroyed_at__isnull=False).exists():
        raise HandoverError(_("The package has been destroyed: its time was over. Nothing is sent any more."))


def _server(target: DeliveryTarget, terms: ServerTerms) -> None:
    for name in ("host", "port", "username", "folder"):
        setattr(target, name, getattr(terms, name))
    target.host_key = host_key_of(terms.host_key)
    if terms.new_key or not target.client_key:
        made = asyncssh.generate_private_key("ssh-ed25519", comment=f"handover {target.handover.reference}")
        target.secret = made.export_private_key("openssh").decode()
        target.client_key = made.export_public_key("openssh").decode().strip()


def _bucket(target: DeliveryTarget, terms: BucketTerms) -> None:
    for name in ("endpoint", "region", "bucket", "by_path", "access_key", "folder"):
        setattr(target, name, getattr(terms, name))
    if terms.secret_key:
        target.secret = terms.secret_key
    elif not target.sealed("secret"):
        raise HandoverError(_("Enter the secret key of the bucket."))


def problems_of(terms: ServerTerms | BucketTerms) -> dict[str, str]:
    """What cannot be, by the field that is to be put right."""
    return _server_problems(terms) if isinstance(terms, ServerTerms) else _bucket_problems(terms)


def _server_problems(terms: ServerTerms) -> dict[str, str]:
    if not _HOST.fullmatch(terms.host):
        return {"host": _("Enter the name or the address of the server alone, for example sftp.example.com.")}
    if terms.port not in range(1, 65536):
        return {"port": _("A port is a number from 1 to 65535; mostly 22.")}
    if not _USER.fullmatch(terms.username):
        return {"username": _("Enter the user's name on the server: letters, digits and . _ - @.")}
    if problem := _folder_problem(terms.folder):
        return {"folder": problem}
    try:
        host_key_of(terms.host_key)
    except HandoverError as error:
        return {"host_key": str(error)}
    return {}


def _bucket_problems(terms: BucketTerms) -> dict[str, str]:
    url = _split(terms.endpoint)
    if url.scheme not in {"https", "http"} or not url.hostname or url.username or url.query or url.path.strip("/"):
        return {
            "endpoint": _("Enter the address of the storage alone, for example https://s3.eu-central-1.amazonaws.com.")
        }
    if terms.region and not _REGION.fullmatch(terms.region):
        return {"region": _("A region has small letters, digits and hyphens, for example eu-central-1.")}
    if not _BUCKET.fullmatch(terms.bucket):
        return {"bucket": _("A bucket's name has 3 to 63 small letters, digits, hyphens and dots.")}
    if problem := _folder_problem(terms.folder):
        return {"folder": problem}
    if not terms.access_key.strip():
        return {"access_key": _("Enter the access key of the bucket.")}
    return {}


def _split(address: str) -> SplitResult:
    """Its parts; none of an address that is none."""
    try:
        return urlsplit(address)
    except ValueError:
        return urlsplit("")


def _folder_problem(folder: str) -> str:
    if ".." in folder.split("/") or any(ord(character) < 32 for character in folder) or "\\" in folder:
        return _("Write the folder with slashes and without .., for example incoming/handover.")
    return ""


def host_key_of(line: str) -> str:
    """The key of a server as one line, without the names before it and the comment after it. Raises HandoverError."""
    words = line.split()
    if "PRIVATE" in words:
        raise HandoverError(_("This was the server's private key, which nobody else may have: make a new one."))
    start = next((at for at, word in enumerate(words) if word.startswith(("ssh-", "ecdsa-"))), None)
    try:
        if start is None:
            raise HandoverError(_not_a_key())
        key = asyncssh.import_public_key(" ".join(words[start : start + 2]))
        found = key.export_public_key("openssh").decode().strip()
        size = getattr(key.pyca_key, "key_size", 0) if found.startswith("ssh-rsa") else _WEAKEST_RSA
    except (asyncssh.KeyImportError, ValueError) as error:
        raise HandoverError(_not_a_key()) from error
    if size < _WEAKEST_RSA or found.startswith("ssh-dss"):
        raise HandoverError(_("This kind of key is too weak by now. State the server's Ed25519 key."))
    return found


def _not_a_key() -> str:
    return _("Paste one line that begins with ssh-ed25519, ecdsa-sha2- or ssh-rsa: the server's public host key.")


def fingerprint(key: str) -> str:
    """The fingerprint of a public key as ssh shows it."""
    return str(asyncssh.import_public_key(key).get_fingerprint()) if key else ""


def check(*, actor: User, target: DeliveryTarget, now: datetime) -> DeliveryTarget:
    """Reach the place, write a small file there and take it away; keep what came of it. Outside a transaction, because
    it waits for another machine. Raises HandoverError with what to do."""
    _require_may_write(actor, target.handover)
    problem = ""
    try:
        carrier_of(target).check()
    except PushError as error:
        problem = str(error)
    _checked(actor, target, problem, now)
    if problem:
        raise HandoverError(problem)
    return target


@transaction.atomic
def _checked(actor: User, target: DeliveryTarget, problem: str, now: datetime) -> None:
    found = DeliveryTarget.objects.filter(pk=target.pk, digest=target.digest)
    found.update(problem=problem, checked_at=None if problem else now)
    verb = "handover.target.unreachable" if problem else "handover.target.checked"
    record(actor, verb, target.handover, now, digest=bytes(target.digest).hex())


def initial_of(target: DeliveryTarget | None) -> dict[str, object]:
    """What the form of a place begins with: never a secret."""
    if target is None:
        return {}
    known = asdict(ServerTerms("", 22, "", "", "")) | asdict(BucketTerms("", "", "", "", "", ""))
    return {name: getattr(target, name) for name in known if name not in {"secret_key", "new_key"}}
