"""Checks of identifiers by python-stdnum, and of networks."""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from stdnum.cn import uscc
from stdnum.exceptions import ValidationError as StdnumError

MAX_NETWORKS = 50


def validate_registration_number(number: str, *, country: str) -> str:
    """Return the number in compact form. Chinese numbers must be valid unified social credit codes (GB 32100-2015);
    elsewhere any number with a letter or digit is taken. Raises ValidationError on `registration_number`."""
    if country != "CN":
        compact = " ".join(number.split())
        if not any(character.isalnum() for character in compact):
            raise ValidationError({"registration_number": _("Enter the number in the register of companies.")})
        return compact
    try:
        return str(uscc.validate(number))
    except StdnumError as error:
        message = _("This is not a valid unified social credit code: check its 18 characters; the last one is a check.")
        raise ValidationError({"registration_number": message}) from error


def validate_networks(networks: Iterable[str]) -> list[str]:
    """Return networks in CIDR notation, each once, sorted. Single addresses become networks of one. Raises
    ValidationError with one message for each that is wrong."""
    found: set[IPv4Network | IPv6Network] = set()
    problems = []
    for text in networks:
        try:
            found.add(_network(text.strip()))
        except ValidationError as error:
            problems += error.messages
    if len(found) > MAX_NETWORKS:
        problems.append(_("At most %(count)d networks. Join neighbors to larger ones.") % {"count": MAX_NETWORKS})
    if problems:
        raise ValidationError(problems)
    return [str(network) for network in sorted(found, key=lambda one: (one.version, int(one.network_address)))]


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        loose = ip_network(text, strict=False)
    except ValueError:
        raise ValidationError(
            _("“%(text)s” is not a network. Write it like 203.0.113.0/24 or 2001:db8::/32.") % {"text": text[:60]}
        ) from None
    if loose.prefixlen == 0:
        raise ValidationError(_("“%(text)s” is every address. Leave the list empty to allow that.") % {"text": text})
    if ip_address(text.partition("/")[0]) != loose.network_address:
        raise ValidationError(
            _("“%(text)s” names an address inside a network. Write the network itself: %(network)s.")
            % {"text": text, "network": loose}
        )
    mapped = loose.network_address.ipv4_mapped if isinstance(loose, IPv6Network) else None
    if mapped is not None:
        raise ValidationError(
            _("Write “%(text)s” as an IPv4 network: %(address)s.") % {"text": text, "address": mapped}
        )
    return loose


class ContextWordsValidator:
    """Refuses passwords made of the words of this place: those of `words`, and of the person's organizations. They may
    be a part of a longer sentence, but not half of it."""

    def __init__(self, words: Iterable[str] = ()) -> None:
        self.words = [word.casefold() for word in words]

    def validate(self, password: str, user: Any = None) -> None:
        """Raises ValidationError."""
        rest = password.casefold()
        for word in sorted([*self.words, *_words_of(user)], key=len, reverse=True):
            rest = rest.replace(word, "")
        if 2 * len(rest) <= len(password):
            raise ValidationError(self.get_help_text(), code="password_of_context_words")

    def get_help_text(self) -> str:
        """What the pages say about it."""
        return _("Your password cannot be made of the words of this platform or of your organization's name.")


def _words_of(user: Any) -> list[str]:
    """The names of a person's organizations, whole and word by word; of four letters on, or two Chinese characters."""
    names = [place.organization.name.casefold() for place in user.places] if user is not None and user.pk else []
    words = {word for name in names for word in (name, name.replace(" ", ""), *name.split())}
    return [word for word in words if len(word) >= (4 if word.isascii() else 2)]
