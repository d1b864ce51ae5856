"""The bytes of a package, whole or in part (RFC 9110), streamed from storage; what leaves is written down."""

from collections.abc import Iterator
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone

from accounts.models import User
from handover import stored
from handover.models import Delivery, DownloadTicket
from handover.ranges import Part, Unsatisfiable, part_of
from handover.services import tickets
from tenancy import rights


def answer(request: HttpRequest, user: User, ticket: DownloadTicket, delivery: Delivery, name: str) -> HttpResponseBase:
    """200, 206 or 416. Raises HandoverError when the ticket opens nothing any more, OSError when the file is gone."""
    etag = f'"{bytes(delivery.digest).hex()}"'
    if delivery.path and delivery.destroyed_at is None and stored.size_of(delivery.path) != delivery.bytes:
        raise OSError("The file in storage has another size.")
    try:
        part = part_of(delivery.bytes, etag, request.headers.get("Range", ""), request.headers.get("If-Range", ""))
    except Unsatisfiable:
        return _headed(HttpResponse(status=416), etag, content_range=f"bytes */{delivery.bytes}")
    if request.method == "HEAD":
        return _headed(HttpResponse(), etag, length=delivery.bytes, name=name)
    began = tickets.begin(actor=user, ticket=ticket, start=part.start, end=part.end, now=timezone.now())
    body = _body(began, delivery, part)
    response = StreamingHttpResponse(body, status=200 if part.whole else 206)
    content_range = "" if part.whole else f"bytes {part.start}-{part.end - 1}/{delivery.bytes}"
    return _headed(response, etag, length=part.end - part.start, name=name, content_range=content_range)


def _headed(
    response: HttpResponseBase, etag: str, *, length: int | None = None, name: str = "", content_range: str = ""
) -> HttpResponseBase:
    response["ETag"] = etag
    response["Accept-Ranges"] = "bytes"
    response["Cache-Control"] = "no-store"
    response["Content-Type"] = "application/octet-stream"
    if length is not None:
        response["Content-Length"] = str(length)
    if name:
        response["Content-Disposition"] = f'attachment; filename="{name}"'
    if content_range:
        response["Content-Range"] = content_range
    return response


def _body(ticket: DownloadTicket, delivery: Delivery, part: Part) -> Iterator[bytes]:
    """A block counts as sent when the next one is asked for. Ends are recorded however the request ends."""
    position = part.start
    try:
        for block in stored.read(delivery.path, part.start, part.end):
            yield block
            position += len(block)
    finally:
        # When the reader has gone, this runs after the rights of the request have been taken back.
        buyer: UUID = delivery.handover.buyer_id
        with rights.acting_for([buyer]):
            tickets.sent(ticket=ticket, request=ticket.requests, start=part.start, end=position, now=timezone.now())
