"""What counts as the same value in an exact search. One function a kind; "" or no usable character gives None.

All begin with Unicode NFKC, which makes full-width digits, letters and signs plain."""

import re
import unicodedata
from collections.abc import Callable

import phonenumbers

DEFAULT_REGION = "CN"
_SEPARATORS = re.compile(r"[\s\-‐-―().·/_]+")
# Mainland China (MIIT numbering plan): mobiles are 11 digits from 13 to 19; landlines begin with 0 and an area code.
_CHINA_MOBILE = re.compile(r"(?:\+?86|0086)?(1[3-9][0-9]{9})")
_CHINA_LANDLINE = re.compile(r"(?:(?:\+|00)?860?|0)((?:10|2[0-9])[0-9]{8}|[3-9][0-9]{2}[0-9]{7,8})")
_NOT_DIGITS = re.compile(r"[^0-9]+")
# What a handover may have left of a value: nobody is found by it.
_PSEUDONYM = re.compile("P-[A-Z2-7]{16}")
_MASKED = "****"


def text(value: str) -> str | None:
    """Names and numbers: case folded, without any white space."""
    if not value.isascii():
        value = unicodedata.normalize("NFKC", value)
    return "".join(value.casefold().split()) or None


def email(value: str) -> str | None:
    """An e-mail address, case folded. RFC 5321 lets the local part tell cases apart; no provider in use does. None for
    a masked one."""
    return None if _MASKED in value else text(value)


def phone(value: str) -> str | None:
    """E.164 (ITU-T). Numbers without a country code are Chinese. What is no phone number keeps its digits, so that the
    same wrong entry is still found; of a masked number and of a pseudonym they would be a stranger's."""
    if _MASKED in value or _PSEUDONYM.fullmatch(value):
        return None
    if not value.isascii():
        value = unicodedata.normalize("NFKC", value)
    bare = _SEPARATORS.sub("", value)
    match = _CHINA_MOBILE.fullmatch(bare) or _CHINA_LANDLINE.fullmatch(bare)
    return "+86" + match[1] if match else _other_phone(value)


def _other_phone(value: str) -> str | None:
    try:
        number = phonenumbers.parse(value, DEFAULT_REGION)
    except phonenumbers.NumberParseException:
        return _NOT_DIGITS.sub("", value) or None
    if phonenumbers.is_possible_number(number):
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return _NOT_DIGITS.sub("", value) or None


def phone_tail(value: str) -> str | None:
    """The last four digits of the phone number. Four digits alone are their own tail, for searching."""
    normalized = phone(value)
    return tail_of(normalized) if normalized else None


def tail_of(normalized_phone: str) -> str | None:
    tail = normalized_phone[-4:]
    return tail if len(tail) == 4 and tail.isdigit() else None


KINDS: dict[str, Callable[[str], str | None]] = {
    "number": text,
    "name": text,
    "phone": phone,
    "phone_tail": phone_tail,
    "email": email,
}
