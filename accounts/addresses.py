"""Addresses and networks of the internet: the client's address out of what proxies say, and what lies where."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.http import HttpRequest

Address = IPv4Address | IPv6Address


def parse_address(text: str) -> Address | None:
    """An address without a port, brackets or zone; IPv4 that came as IPv6 counts as IPv4. None: it is none."""
    bare = text.strip()
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        found = ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found


def forwarded_address(remote: str, forwarded: str, proxies: int) -> str:
    """The client's address. Each of our proxies added the address of whom it spoke to at the end of `forwarded`; what
    stands before those entries is the client's own claim. With fewer entries than proxies (a health check past them),
    or with one that is no address, the peer `remote` counts. Empty if that is none either."""
    claims = [part for part in forwarded.split(",") if part.strip()]
    trusted = parse_address(claims[-proxies]) if 0 < proxies <= len(claims) else None
    found = trusted or parse_address(remote)
    return str(found) if found else ""


def client_address(request: HttpRequest) -> str:
    """The address that `ClientAddressMiddleware` decided on."""
    return str(request.META.get("REMOTE_ADDR", ""))


def is_inside(address: str, networks: Iterable[str]) -> bool:
    """Whether an address lies in one of the networks; what is no address lies nowhere."""
    found = parse_address(address)
    return found is not None and any(found in ip_network(network) for network in networks)
