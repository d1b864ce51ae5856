"""The only writer of people, organizations and memberships, of teams and permissions, of agreements and of passed
courses."""

from accounts.services.agreements import ensure_platform_agreement, publish_agreement, sign
from accounts.services.assigning import assign_course, drop_of_people_who_left, remind_assigned
from accounts.services.courses import Marked, remind, take_quiz
from accounts.services.granting import give_by_role, grant, revoke
from accounts.services.invitations import (
    accept,
    accept_as_new,
    invite,
    invite_first,
    send_again,
    send_first_again,
    withdraw,
)
from accounts.services.members import change_role, offboard
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
from accounts.services.teams import change_team, make_team, remove_team, repair_teams
from accounts.services.viewing import begin_viewing, end_viewing

__all__ = [
    "Marked",
    "accept",
    "accept_as_new",
    "add_membership",
    "add_organization",
    "add_person",
    "assign_course",
    "begin_viewing",
    "change_membership",
    "change_organization",
    "change_person",
    "change_role",
    "change_team",
    "drop_of_people_who_left",
    "end_viewing",
    "ensure_platform_agreement",
    "give_by_role",
    "grant",
    "invite",
    "invite_first",
    "make_team",
    "offboard",
    "publish_agreement",
    "record_link",
    "record_refused_network",
    "remind",
    "remind_assigned",
    "remove_membership",
    "remove_team",
    "repair_teams",
    "revoke",
    "rotate_keys",
    "send_again",
    "send_first_again",
    "set_networks",
    "sign",
    "take_quiz",
    "withdraw",
]
