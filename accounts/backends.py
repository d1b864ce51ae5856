"""What agency staff who are no superusers may do in the admin."""

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.db.models import Model

from accounts.models import User
from accounts.selectors import is_agency

# The register of people and organizations is what the agency keeps; everything else in the admin is for reading.
KEPT = frozenset(
    {
        "accounts.add_user",
        "accounts.change_user",
        "accounts.add_organization",
        "accounts.change_organization",
        "accounts.add_membership",
        "accounts.change_membership",
        "accounts.delete_membership",
    }
)


class AgencyStaffBackend(BaseBackend):
    """Staff of the agency may view everything that the admin shows and keep the register of people. Nobody else gets
    anything here, and nobody signs in by it."""

    def has_perm(self, user_obj: Any, perm: str, obj: Model | None = None) -> bool:
        codename = perm.partition(".")[2]
        return _is_agency_staff(user_obj) and (codename.startswith("view_") or perm in KEPT)

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        """Whether the index of the admin lists a room."""
        return _is_agency_staff(user_obj)


def _is_agency_staff(user: Any) -> bool:
    return isinstance(user, User) and user.is_active and user.is_staff and is_agency(user)
