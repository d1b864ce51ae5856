"""Masked forms of sealed values: enough to recognize a record one already knows, never enough to reach the person.

Every function takes the opened value and returns text for the screen; an empty value stays empty."""

import re
from collections.abc import Callable

STARS = "****"
_PHONE_KEEPS = 4
# Province, if there is one, and the city, prefecture or county after it.
CITY = re.compile(r"((?:.{2,10}?(?:省|自治区|特别行政区))?.{1,10}?(?:市|州市?|盟|地区|区|县|旗))", re.DOTALL)

_YEAR_FIRST = re.compile("[0-9]{4}[-/.年]")


def mask_name(value: str) -> str:
    """Keep the family name: 张** for Chinese, Japanese and Korean names, the first letter of each word elsewhere."""
    if not value:
        return ""
    if ord(value[0]) > 0x2E80:
        return value[0] + "*" * max(1, min(len(value) - 1, 2))
    return " ".join(f"{word[0]}**" for word in value.split())


def mask_phone(value: str) -> str:
    """138****5678: the last four digits, and the first three of a number long enough to spare them."""
    digits = [character for character in value if character.isdigit()]
    tail = "".join(digits[-_PHONE_KEEPS:])
    if len(digits) < 9:
        return STARS + tail if len(digits) > 6 else STARS if value else ""
    head = value[: 6 if value.startswith("+86") else 3]
    return f"{head}{STARS}{tail}"


def mask_email(value: str) -> str:
    """z****@163.com: the first letter and the domain."""
    local, at, domain = value.partition("@")
    return f"{local[:1]}{STARS}{at}{domain}" if value else ""


def mask_address(value: str) -> str:
    """A Chinese address up to its city or county; of other addresses the last part (country or city)."""
    if not value:
        return ""
    found = CITY.match(value)
    if found:
        return f"{found[1]}{STARS}"
    parts = [part.strip() for part in value.replace("\n", ",").split(",") if part.strip()]
    return f"{STARS}, {re.sub(r'[0-9]', '*', parts[-1])}" if len(parts) > 1 else STARS


def mask_text(value: str) -> str:
    """Nothing of the text, only that there is one."""
    return STARS * 2 if value else ""


def mask_amount(value: str) -> str:
    """Every digit becomes a star."""
    return re.sub(r"\d", "*", value)


def mask_day(value: str) -> str:
    """The year of a date that begins with it; of others only that there is one."""
    return f"{value[:4]}-**-**" if _YEAR_FIRST.match(value) else mask_text(value)


def show(value: str) -> str:
    """Not personal by itself."""
    return value


_MASKS: dict[str, Callable[[str], str]] = {
    "number": show,
    "name": mask_name,
    "phone": mask_phone,
    "email": mask_email,
    "address": mask_address,
    "note": mask_text,
    "time": mask_day,
    "product": mask_text,
    "quantity": mask_amount,
    "amount": mask_amount,
    "currency": show,
    "channel": show,
    "frequency": mask_amount,
    "preferred_products": mask_text,
    "preferences": mask_text,
}


def mask(field: str, value: str | None) -> str:
    """The masked form of a field of `customers.fields`. An unknown field shows nothing but stars."""
    return _MASKS.get(field, mask_text)(value or "")
