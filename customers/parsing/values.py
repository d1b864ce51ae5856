"""One cell at a time: what a person typed becomes the value that is stored, or a `Bad` reason.

Each reader takes stripped, non-empty text that was checked for length and control characters. Cheap expressions
settle nearly every cell; the phonenumbers library only sees what they do not."""

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta

import phonenumbers

from customers.parsing.reasons import Reason


class Bad(Exception):  # noqa: N818 (a row's verdict, not a program error)
    """The cell cannot be stored; `reason` says why."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.name)
        self.reason = reason


Reader = Callable[[str], str]

_MOBILE = re.compile(r"(?:\+?86|0086)?(1[3-9][0-9]{9})")
_LANDLINE = re.compile(r"(?:\+86)?0(?:10|2[0-9]|[3-9][0-9]{2})[0-9]{7,8}(?:(?:x|#|ext|转)[0-9]{1,6})?")
_SERVICE = re.compile(r"[48]00[0-9]{7}")
_ZERO_LOST = re.compile(r"(?:10|2[0-9])[0-9]{8}|[3-9][0-9]{2}[0-9]{7,8}")
_SEPARATORS = re.compile(r"[\s\-‐-―().·_]+")
_SEVERAL = re.compile(r"[/、;；,，|\n]+")
_SCIENTIFIC = re.compile(r"[0-9](?:\.[0-9]+)?[eE]\+?[0-9]{1,2}")
_POINT_ZERO = re.compile(r"([0-9]+)\.0+")
_EMAIL = re.compile(r"[^@\s<>(),;:\"\[\]]{1,64}@(?:[^@\s.<>(),;:\"\[\]]+\.)+[^@\s.<>(),;:\"\[\]]{2,63}")

_ISO = re.compile(r"([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?(?:[T ]*(.+))?")
_COMPACT = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_LAST_YEAR = re.compile(r"([0-9]{1,2})[-/.]([0-9]{1,2})[-/.]([0-9]{4})(?: +(.+))?")
_CLOCK = re.compile(
    r"(上午|下午)?([0-9]{1,2})[:时]([0-9]{1,2})(?:[:分]([0-9]{1,2})秒?)?(?:\.[0-9]+)?分?(?: ?([AaPp])[Mm])?"
)
_SERIAL = re.compile(r"[1-9][0-9]{4}(?:\.[0-9]+)?")
_EXCEL_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 (a wall-clock time of the shop, without a zone)

_AMOUNT = re.compile(r"-?[0-9]{1,12}(?:\.[0-9]{1,4})?")
_AMOUNT_GROUPED = re.compile(r"-?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]{1,4})?")
_AMOUNT_NOISE = re.compile(r"^(?:[¥￥$€£]|RMB|CNY|USD|EUR)\s*|\s*(?:元|圆|RMB|CNY|USD|EUR)$", re.IGNORECASE)
_ROUNDED = re.compile(r"(-?[0-9]{1,12}\.[0-9]{2})[0-9]{10,}(?:[eE]-?[0-9]+)?")
_QUANTITY = re.compile(r"-?[0-9]{1,9}(?:\.[0-9]{1,4})?")
_UNITS = re.compile(r"\s*(?:件|个|瓶|盒|包|箱|袋|套|只|支|桶|pcs?|x)$", re.IGNORECASE)
_TRAILING_ZEROS = re.compile(r"\.0+$")
_CODE = re.compile(r"[A-Z]{3}")
_CURRENCIES = {
    "人民币": "CNY", "元": "CNY", "RMB": "CNY", "¥": "CNY", "￥": "CNY", "CNH": "CNY",
    "美元": "USD", "$": "USD", "US$": "USD", "欧元": "EUR", "€": "EUR", "英镑": "GBP", "£": "GBP",
    "日元": "JPY", "港币": "HKD", "港元": "HKD", "HK$": "HKD", "韩元": "KRW", "新台币": "TWD",
}  # fmt: skip


_CONSENTS = {
    **dict.fromkeys(
        ("yes", "y", "true", "1", "x", "agreed", "given", "opt-in", "是", "同意", "已同意", "有", "√", "✓"), "yes"
    ),
    **dict.fromkeys(("no", "n", "false", "0", "none", "-", "opt-out", "否", "不同意", "未同意", "无", "×"), "no"),
    **dict.fromkeys(("withdrawn", "revoked", "撤回", "已撤回", "撤销", "已撤销"), "withdrawn"),
}


def number(text: str) -> str:
    """A customer number as written; a whole number that a spreadsheet gave decimals loses them."""
    repaired = _POINT_ZERO.fullmatch(text)
    return repaired[1] if repaired else text


def phone_reader(region: str) -> Reader:
    """A reader of phone numbers; those without a country code belong to `region` (ISO 3166-1)."""

    def phone(text: str) -> str:
        bare = _SEPARATORS.sub("", text)
        mobile = _MOBILE.fullmatch(bare)
        if mobile:
            return mobile[1]
        if _LANDLINE.fullmatch(bare) or _SERVICE.fullmatch(bare):
            return text
        return _unusual_phone(text, bare, region)

    return phone


def _unusual_phone(text: str, bare: str, region: str) -> str:
    repaired = _POINT_ZERO.fullmatch(text)
    if repaired and _MOBILE.fullmatch(repaired[1]):
        return repaired[1]
    if _SCIENTIFIC.fullmatch(text):
        raise Bad(Reason.PHONE_DIGITS_LOST)
    parts = [part for part in map(str.strip, _SEVERAL.split(text)) if part]
    if len(parts) > 1:
        raise Bad(Reason.PHONE_SEVERAL if _are_phones(parts) else Reason.PHONE)
    if parts and parts[0] != text:
        return phone_reader(region)(parts[0])
    if _known_abroad(text, region):
        return text
    raise Bad(Reason.PHONE_ZERO_LOST if region == "CN" and _ZERO_LOST.fullmatch(bare) else Reason.PHONE)


def _are_phones(parts: list[str]) -> bool:
    return all(sum(character.isdigit() for character in part) >= 7 for part in parts)


def _known_abroad(text: str, region: str) -> bool:
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(text, region)) and (region != "CN" or "+" in text)
    except phonenumbers.NumberParseException:
        return False


def email(text: str) -> str:
    """An address of the usual form (RFC 5321 without quoted local parts); a leading `mailto:` is dropped."""
    plain = text.removeprefix("mailto:")
    if len(plain) <= 254 and _EMAIL.fullmatch(plain):
        return plain
    raise Bad(Reason.EMAIL)


def time_reader(order: str) -> Reader:
    """A reader of dates and times, giving `YYYY-MM-DD` or `YYYY-MM-DDTHH:MM:SS` (ISO 8601, wall clock of the shop).

    `order`: "dmy" or "mdy" for dates with the year last, "" when that was not chosen. Excel serial numbers count days
    from 1899-12-30."""

    def moment(text: str) -> str:
        found = _ISO.fullmatch(text) or _COMPACT.fullmatch(text)
        if found:
            year, month, day, *clock = found.groups()
        elif found := _LAST_YEAR.fullmatch(text):
            day, month, year, *clock = found.groups()
            day, month = _ordered(int(day), int(month), order)
        elif _SERIAL.fullmatch(text):
            return _from_serial(float(text))
        else:
            raise Bad(Reason.TIME)
        return _moment(int(year), int(month), int(day), clock[0] if clock else None)

    return moment


def _ordered(first: int, second: int, order: str) -> tuple[int, int]:
    """Day and month. 13 to 31 can only be a day; otherwise the chosen order decides."""
    if first > 12 or order == "dmy":
        return first, second
    if second > 12 or order == "mdy":
        return second, first
    if first == second:
        return first, second
    raise Bad(Reason.TIME_ORDER)


def _moment(year: int, month: int, day: int, clock: str | None) -> str:
    try:
        written = date(year, month, day).isoformat()
        return f"{written}T{_clock(clock)}" if clock else written
    except ValueError as error:
        raise Bad(Reason.TIME) from error


def _clock(text: str) -> str:
    found = _CLOCK.fullmatch(text.strip())
    if not found:
        raise ValueError
    half, hour_text, minute, second, letter = found.groups()
    hour = int(hour_text)
    if (half == "下午" or (letter and letter in "Pp")) and hour < 12:
        hour += 12
    if (half == "上午" or (letter and letter in "Aa")) and hour == 12:
        hour = 0
    if hour > 23 or int(minute) > 59 or int(second or 0) > 59:
        raise ValueError
    return f"{hour:02d}:{int(minute):02d}:{int(second or 0):02d}"


def _from_serial(days: float) -> str:
    moment = _EXCEL_EPOCH + timedelta(seconds=round(days * 86400))
    if days.is_integer():
        return moment.date().isoformat()
    return moment.isoformat("T", "seconds")


def amount(text: str) -> str:
    """Digits with at most four decimals and no grouping. A spreadsheet's 12.300000000000001 is 12.30."""
    if _AMOUNT.fullmatch(text):
        return text
    plain = _AMOUNT_NOISE.sub("", _AMOUNT_NOISE.sub("", text)).strip().replace("，", ",")
    if _AMOUNT_GROUPED.fullmatch(plain):
        plain = plain.replace(",", "")
    if _AMOUNT.fullmatch(plain):
        return plain
    if _ROUNDED.fullmatch(plain):
        return f"{float(plain):.2f}"
    raise Bad(Reason.AMOUNT)


def quantity(text: str) -> str:
    """A number of at most nine digits, without a unit."""
    plain = _UNITS.sub("", text).replace(",", "")
    if _QUANTITY.fullmatch(plain):
        return _TRAILING_ZEROS.sub("", plain)
    raise Bad(Reason.QUANTITY)


def currency(text: str) -> str:
    """Three letters of ISO 4217; usual names and signs are translated."""
    code = _CURRENCIES.get(text) or _CURRENCIES.get(text.upper()) or text.upper()
    if _CODE.fullmatch(code):
        return code
    raise Bad(Reason.CURRENCY)


def consent(text: str) -> str:
    """Whether the customer agreed: yes, no or withdrawn. Other words would be text about a person in the clear."""
    said = _CONSENTS.get(text.lower())
    if said is None:
        raise Bad(Reason.CONSENT)
    return said


def plain(text: str) -> str:
    return text


def readers(region: str, order: str) -> dict[str, Reader]:
    """The reader of each field; fields that are missing take any text."""
    return {
        "number": number,
        "phone": phone_reader(region),
        "email": email,
        "time": time_reader(order),
        "amount": amount,
        "quantity": quantity,
        "currency": currency,
        "consent": consent,
        "consent_on": time_reader(order),
    }


# Fields whose digits and signs are made plain (full-width 1 to 1) before they are read.
NARROWED = frozenset({"number", "phone", "email", "time", "amount", "quantity", "currency", "consent", "consent_on"})
