"""The only writer of people, organizations and memberships, of agreements and of passed courses."""

from accounts.services.agreements import ensure_platform_agreement, publish_agreement, sign
from accounts.services.courses import Marked, remind, take_quiz
from accounts.services.people import (
    add_membership,
    add_organization,
    add_person,
    change_membership,
    change_organization,
    change_person,
    record_link,
    record_refused_network,
    remove_membership,
    rotate_keys,
    set_networks,
)

__all__ = [
    "Marked",
    "add_membership",
    "add_organization",
    "add_person",
    "change_membership",
    "change_organization",
    "change_person",
    "ensure_platform_agreement",
    "publish_agreement",
    "record_link",
    "record_refused_network",
    "remind",
    "remove_membership",
    "rotate_keys",
    "set_networks",
    "sign",
    "take_quiz",
]
