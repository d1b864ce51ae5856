"""Checks of identifiers by python-stdnum."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from stdnum.cn import uscc
from stdnum.exceptions import ValidationError as StdnumError


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
