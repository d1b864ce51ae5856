"""SFTP (RFC 4253 and the draft of version 3): the server proves itself by the key that the buyer stated, the platform
by a key made for this place alone. Written under `<name>.part`, renamed when it was read back and is the same."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from hashlib import sha256
from typing import TypeVar

import asyncssh
from django.utils.translation import gettext as _

from handover.models import DeliveryTarget
from handover.pushing import network
from handover.pushing.errors import PushError
from handover.pushing.parcels import BLOCK, Parcel, changed, taken, unequal

Found = TypeVar("Found")
TAIL = BLOCK  # what is compared before anything is added to what is there
_LOGIN_SECONDS = 20
_ALIVE_SECONDS, _ALIVE_TRIES = 15, 4  # a server that answers nothing for a minute is gone
_CHECK = ".handover-check"
# Its own account of every connection belongs to no log of ours.
asyncssh.set_log_level(logging.WARNING)


class SftpCarrier:
    def __init__(self, target: DeliveryTarget) -> None:
        self._target = target

    def check(self) -> None:
        self._run(self._check)

    def begin(self, parcel: Parcel, upload: str) -> str:
        return upload

    def part(self, parcel: Parcel, upload: str, number: int, start: int, end: int) -> int:
        return self._run(partial(self._part, parcel, start, end))

    def finish(self, parcel: Parcel, upload: str) -> None:
        self._run(partial(self._finish, parcel))

    def _run(self, work: Callable[[asyncssh.SFTPClient], Awaitable[Found]]) -> Found:
        target = self._target
        sock = network.connect(target.host, target.port)
        secret = target.secret
        try:
            return asyncio.run(self._session(sock, secret, work))
        except asyncssh.HostKeyNotVerifiable as error:
            raise PushError(
                _("The server shows another host key than the one you stated. Nothing was sent. Find out why first.")
            ) from error
        except asyncssh.PermissionDenied as error:
            raise PushError(
                _("The server does not let the platform in. Put its public key into authorized_keys of this user.")
            ) from error
        except asyncssh.SFTPError as error:
            raise self._refused(error) from error
        except (asyncssh.Error, OSError, TimeoutError) as error:
            message = _("The connection to %(host)s broke. Try again: it goes on where it stopped.")
            raise PushError(message % {"host": target.host}) from error
        finally:
            sock.close()

    async def _session(
        self, sock: object, secret: str, work: Callable[[asyncssh.SFTPClient], Awaitable[Found]]
    ) -> Found:
        target = self._target
        async with (
            asyncssh.connect(
                target.host,
                sock=sock,
                username=target.username,
                client_keys=[asyncssh.import_private_key(secret)],
                known_hosts=([asyncssh.import_public_key(target.host_key)], [], []),
                config=None,
                agent_path=None,
                x509_trusted_certs=None,
                preferred_auth="publickey",
                login_timeout=_LOGIN_SECONDS,
                keepalive_interval=_ALIVE_SECONDS,
                keepalive_count_max=_ALIVE_TRIES,
            ) as connection,
            connection.start_sftp_client() as sftp,
        ):
            return await work(sftp)

    def _refused(self, error: asyncssh.SFTPError) -> PushError:
        if isinstance(error, asyncssh.SFTPNoSuchFile | asyncssh.SFTPNoSuchPath):
            message = _("There is no folder %(folder)s for this user. Make it there, or change the folder here.")
        elif isinstance(error, asyncssh.SFTPPermissionDenied):
            message = _("The user may not write to %(folder)s. Give it the right there, then try again.")
        elif isinstance(error, asyncssh.SFTPNoSpaceOnFilesystem | asyncssh.SFTPQuotaExceeded):
            message = _("There is no room left in %(folder)s. Make room there, then try again.")
        else:
            message = _("The server refused to write to %(folder)s. Look into its log, then try again.")
        return PushError(message % {"folder": self._target.folder or "."})

    def _path(self, name: str) -> str:
        return f"{self._target.folder.rstrip('/') or '.'}/{name}" if self._target.folder != "/" else f"/{name}"

    async def _check(self, sftp: asyncssh.SFTPClient) -> None:
        path = self._path(_CHECK)
        async with sftp.open(path, "wb") as file:
            await file.write(b"Handover was here.\n")
        await sftp.remove(path)

    async def _part(self, parcel: Parcel, start: int, end: int, sftp: asyncssh.SFTPClient) -> int:
        path = self._path(parcel.name)
        if (standing := await _size(sftp, path)) is not None:
            if standing == parcel.size:
                return 0  # sent before; `finish` looks at every byte of it
            raise taken(parcel)
        size = await _size(sftp, f"{path}.part") or 0
        mode = asyncssh.FXF_READ | asyncssh.FXF_WRITE | asyncssh.FXF_CREAT
        async with sftp.open(f"{path}.part", mode, encoding=None) as file:
            first = position = await _agreed(file, parcel, size, start, end)
            for block in parcel.read(first, end):
                await file.write(block, position)
                position += len(block)
        return position - first

    async def _finish(self, parcel: Parcel, sftp: asyncssh.SFTPClient) -> None:
        path = self._path(parcel.name)
        if await _size(sftp, path) is not None:
            if not await _is_same(sftp, path, parcel):
                raise taken(parcel)
            return
        if not await _is_same(sftp, f"{path}.part", parcel):
            await sftp.remove(f"{path}.part")
            raise unequal()
        await sftp.rename(f"{path}.part", path)


async def _size(sftp: asyncssh.SFTPClient, path: str) -> int | None:
    try:
        return (await sftp.stat(path)).size
    except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
        return None


async def _agreed(file: asyncssh.SFTPClientFile, parcel: Parcel, size: int, start: int, end: int) -> int:
    """From where to write: behind the last byte that is there and ours. Raises PushError if what earlier parts sent is
    not there any more."""
    if size < start:
        raise changed()
    for position in (min(size, end), start):
        first = max(0, position - TAIL)
        there = _bytes(await file.read(position - first, first))
        if there == parcel.bytes(first, position):
            return position
    raise changed()


async def _is_same(sftp: asyncssh.SFTPClient, path: str, parcel: Parcel) -> bool:
    if await _size(sftp, path) != parcel.size:
        return False
    found = sha256()
    async for block in _blocks(sftp, path):
        found.update(block)
    return found.digest() == parcel.digest


async def _blocks(sftp: asyncssh.SFTPClient, path: str) -> AsyncIterator[bytes]:
    async with sftp.open(path, "rb") as file:
        position = 0
        while block := _bytes(await file.read(BLOCK, position)):
            position += len(block)
            yield block


def _bytes(read: bytes | str) -> bytes:
    """What a file opened for bytes gives; the library's type allows text too."""
    return read if isinstance(read, bytes) else read.encode()
