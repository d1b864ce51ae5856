"""Which addresses the platform sends to: public ones, and the networks that its operator names. A name is resolved
once; what was checked is what is connected to, so that no second answer leads inside."""

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings
from django.utils.translation import gettext as _

from handover.pushing.errors import PushError

CONNECT_SECONDS = 10.0
_NAT64 = ip_network("64:ff9b::/96")


def resolve(host: str, port: int) -> str:
    """The address to connect to. Raises PushError for a name without address, and if any of its addresses is within
    the platform's own or a private network."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        message = _("The name %(host)s has no address. Check how it is spelled.")
        raise PushError(message % {"host": host}) from error
    addresses = [str(entry[4][0]) for entry in found]
    if not addresses or not all(map(is_allowed, addresses)):
        message = _("%(host)s leads into a private network. The package goes to public addresses only.")
        raise PushError(message % {"host": host})
    return addresses[0]


def is_allowed(address: str) -> bool:
    """Whether the platform may connect there."""
    ip = _inner(ip_address(address.partition("%")[0]))
    return is_own(str(ip)) or (ip.is_global and not ip.is_multicast)


def is_own(address: str) -> bool:
    """Whether it lies in a network that the operator named."""
    ip = _inner(ip_address(address))
    return any(ip in network for network in settings.DELIVERY_NETWORKS)


def _inner(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that an IPv6 address stands for: each such way leads to that machine."""
    if isinstance(ip, IPv4Address):
        return ip
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None) or ip


def connect(host: str, port: int) -> socket.socket:
    """A connection to a checked address. Raises PushError."""
    address = resolve(host, port)
    try:
        return socket.create_connection((address, port), timeout=CONNECT_SECONDS)
    except OSError as error:
        raise silent(host, port) from error


def silent(host: str, port: int) -> PushError:
    """Nobody answers."""
    message = _("%(host)s does not answer on port %(port)s. Check the address and the firewall there, then try again.")
    return PushError(message % {"host": host, "port": port})
