"""S3: an upload in parts, which goes on with the parts that the bucket lists, and is read back whole.

Every request is sent to an address that was checked: the library never resolves a name by itself (`_Sender`)."""

import base64
import ssl
from collections.abc import Callable, Iterator
from functools import wraps
from hashlib import md5
from typing import Any, Concatenate, ParamSpec, TypeVar
from urllib.parse import urlsplit

import boto3
import urllib3
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError, HTTPClientError
from botocore.httpsession import get_cert_path
from django.utils.translation import gettext as _

from handover.models import DeliveryTarget
from handover.pushing import network
from handover.pushing.errors import PushError
from handover.pushing.parcels import BLOCK, Parcel, changed, digest_of, taken, unequal

P = ParamSpec("P")
Found = TypeVar("Found")
SMALLEST_PART = 5 << 20  # of all parts but the last, by the protocol
MOST_PARTS = 10_000
_SECONDS = 60.0
_CHECK = ".handover-check"
_GONE = frozenset({"404", "NoSuchKey", "NotFound"})


class _Sender:
    """Sends what the library has signed. Returned by the event `before-send`, so the library's own connections are
    never used, not even for a redirect."""

    def __init__(self) -> None:
        self._addresses: dict[tuple[str, int], str] = {}
        self._tls = ssl.create_default_context(cafile=get_cert_path(True))

    def __call__(self, request: Any, **_others: object) -> AWSResponse:
        url = urlsplit(request.url)
        host, secure = str(url.hostname), url.scheme == "https"
        port = url.port or (443 if secure else 80)
        address = self._addresses.setdefault((host, port), network.resolve(host, port))
        if not secure and not network.is_own(address):
            raise PushError(_("The bucket's address must begin with https://."))
        timeout = urllib3.Timeout(connect=network.CONNECT_SECONDS, read=_SECONDS)
        try:
            found = self._pool(host, address, port, secure).urlopen(
                request.method,
                f"{url.path or '/'}{'?' + url.query if url.query else ''}",
                body=request.body,
                headers=_headers(request.headers, url.netloc),
                retries=False,
                redirect=False,
                preload_content=False,
                decode_content=False,
                timeout=timeout,
            )
        except (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError) as error:
            raise EndpointConnectionError(endpoint_url=request.url, error=error) from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise HTTPClientError(error=error) from error
        return AWSResponse(request.url, found.status, found.headers, found)

    def _pool(self, host: str, address: str, port: int, secure: bool) -> urllib3.HTTPConnectionPool:
        if not secure:
            return urllib3.HTTPConnectionPool(address, port, maxsize=1)
        return urllib3.HTTPSConnectionPool(
            address, port, maxsize=1, ssl_context=self._tls, server_hostname=host, assert_hostname=host
        )


def _headers(given: Any, host: str) -> dict[str, str]:
    texts = {name: value.decode() if isinstance(value, bytes) else str(value) for name, value in given.items()}
    # The body follows at once: nobody here waits for an interim answer.
    return {name: value for name, value in texts.items() if name.lower() != "expect"} | {"Host": host}


def client_of(endpoint: str, **more: Any) -> Any:
    """A client of boto3. Raises PushError for an address or a region that it does not take."""
    try:
        return boto3.client("s3", endpoint_url=endpoint, **more)
    except (BotoCoreError, ValueError) as error:
        message = _("The bucket at %(endpoint)s cannot be addressed. Check the address and the region.")
        raise PushError(message % {"endpoint": endpoint}) from error


def _told(work: Callable[Concatenate["S3Carrier", P], Found]) -> Callable[Concatenate["S3Carrier", P], Found]:
    """The library's errors in words that say what to do."""

    @wraps(work)
    def tried(self: "S3Carrier", /, *args: P.args, **kwargs: P.kwargs) -> Found:
        try:
            return work(self, *args, **kwargs)
        except ClientError as error:
            raise self.refused(error) from error
        except (BotoCoreError, urllib3.exceptions.HTTPError, OSError) as error:
            message = _("The bucket at %(endpoint)s does not answer. Check the address, then try again: it goes on.")
            raise PushError(message % {"endpoint": self.endpoint}) from error

    return tried


class S3Carrier:
    def __init__(self, target: DeliveryTarget) -> None:
        self.endpoint = target.endpoint
        self._bucket, self._folder = target.bucket, target.folder.strip("/")
        self._client = client_of(
            target.endpoint,
            region_name=target.region or "us-east-1",
            aws_access_key_id=target.access_key,
            aws_secret_access_key=target.secret,
            config=Config(
                signature_version="s3v4",
                s3={"addressing_style": "path" if target.by_path else "virtual"},
                retries={"mode": "standard", "max_attempts": 3},
                # What other makers' buckets understand too; each part and the whole are compared by our own digests.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )
        self._client.meta.events.register("before-send.s3", _Sender())

    def refused(self, error: ClientError) -> PushError:
        """What the bucket's refusal means."""
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code in {"AccessDenied", "403", "InvalidAccessKeyId", "SignatureDoesNotMatch", "Forbidden"}:
            message = _("The bucket refuses the key (%(code)s). Check the access key, the secret key and its rights.")
        elif code in {"NoSuchBucket", "404"}:
            message = _("There is no bucket %(bucket)s there (%(code)s). Check its name and the region.")
        elif code == "NoSuchUpload":
            return changed()
        else:
            message = _("The bucket refused (%(code)s). Look up this code with its provider, then try again.")
        return PushError(message % {"code": code, "bucket": self._bucket})

    @_told
    def check(self) -> None:
        key = self._key(_CHECK)
        self._client.put_object(Bucket=self._bucket, Key=key, Body=b"Handover was here.\n")
        self._client.head_object(Bucket=self._bucket, Key=key)
        self._client.delete_object(Bucket=self._bucket, Key=key)

    @_told
    def begin(self, parcel: Parcel, upload: str) -> str:
        if upload or self._stands(parcel):
            return upload
        key = self._key(parcel.name)
        listed = self._client.list_multipart_uploads(Bucket=self._bucket, Prefix=key).get("Uploads", [])
        # Begun by a worker that was killed before it could write that down: whatever it holds is compared.
        if begun := [str(one["UploadId"]) for one in listed if one["Key"] == key]:
            return begun[0]
        made = self._client.create_multipart_upload(
            Bucket=self._bucket, Key=key, Metadata={"sha256": parcel.digest.hex()}
        )
        return str(made["UploadId"])

    @_told
    def part(self, parcel: Parcel, upload: str, number: int, start: int, end: int) -> int:
        if not upload:
            return 0  # it stands there; `finish` looks at every byte of it
        body = parcel.bytes(start, end)
        found = md5(body, usedforsecurity=False)  # the protocol's own sum of a part, against accidents
        there = {one["PartNumber"]: one for one in self._parts(parcel, upload)}.get(number)
        if there and (there["Size"], there["ETag"].strip('"')) == (len(body), found.hexdigest()):
            return 0
        self._client.upload_part(
            Bucket=self._bucket,
            Key=self._key(parcel.name),
            UploadId=upload,
            PartNumber=number,
            Body=body,
            ContentMD5=base64.b64encode(found.digest()).decode(),
        )
        return len(body)

    @_told
    def finish(self, parcel: Parcel, upload: str) -> None:
        if not self._stands(parcel):
            if not upload:
                raise changed()
            parts = [{"PartNumber": one["PartNumber"], "ETag": one["ETag"]} for one in self._parts(parcel, upload)]
            if not parts:
                raise changed()
            self._client.complete_multipart_upload(
                Bucket=self._bucket,
                Key=self._key(parcel.name),
                UploadId=upload,
                MultipartUpload={"Parts": parts},
            )
        if self._size(parcel) != parcel.size or digest_of(self._blocks(parcel)) != parcel.digest:
            self._remove_own(parcel)
            raise unequal()

    def _key(self, name: str) -> str:
        return f"{self._folder}/{name}" if self._folder else name

    def _head(self, parcel: Parcel) -> Any:
        try:
            return self._client.head_object(Bucket=self._bucket, Key=self._key(parcel.name))
        except ClientError as error:
            if str(error.response.get("Error", {}).get("Code", "")) in _GONE:
                return None
            raise

    def _size(self, parcel: Parcel) -> int:
        head = self._head(parcel)
        return -1 if head is None else int(head["ContentLength"])

    def _stands(self, parcel: Parcel) -> bool:
        """Whether this package is there. Raises PushError if something else has its name."""
        head = self._head(parcel)
        if head is not None and head.get("Metadata", {}).get("sha256") != parcel.digest.hex():
            raise taken(parcel)
        return head is not None

    def _remove_own(self, parcel: Parcel) -> None:
        """What this platform wrote: `_stands` has looked at the mark that it left."""
        self._client.delete_object(Bucket=self._bucket, Key=self._key(parcel.name))

    def _parts(self, parcel: Parcel, upload: str) -> Iterator[Any]:
        pages = self._client.get_paginator("list_parts").paginate(
            Bucket=self._bucket, Key=self._key(parcel.name), UploadId=upload
        )
        for page in pages:
            yield from page.get("Parts", [])

    def _blocks(self, parcel: Parcel) -> Iterator[bytes]:
        body = self._client.get_object(Bucket=self._bucket, Key=self._key(parcel.name))["Body"]
        yield from body.iter_chunks(BLOCK)
