"""How the entries of this room read in the ledger, and what waits for a person here."""

from django.utils.translation import gettext_lazy as _

from accounts import waiting
from accounts.overview import clearance_waiting
from ledger import vocabulary

SENTENCES = {
    "organization.added": _("%(actor_name)s added the organization %(name)s"),
    "organization.changed": _("%(actor_name)s changed the entry of the organization %(name)s"),
    "organization.networks_changed": _("%(actor_name)s set the networks from which %(name)s works: %(count)s"),
    "organization.key_rotated": _("%(actor_name)s gave %(name)s a new key that wraps %(count)s data keys"),
    "person.added": _("%(actor_name)s added the person %(name)s"),
    "person.changed": _("%(actor_name)s changed the entry of the person %(name)s"),
    "person.link_sent": _("%(actor_name)s sent %(name)s a link to set a password"),
    "person.factor_added": _("%(actor_name)s set up a second factor"),
    "person.factor_removed": _("%(actor_name)s removed a second factor"),
    "person.codes_made": _("%(actor_name)s made new recovery codes"),
    "person.factors_removed": _("%(actor_name)s removed the second factor of %(name)s"),
    "person.session_ended": _("%(actor_name)s signed out elsewhere"),
    "person.sessions_ended": _("%(actor_name)s signed out everywhere else"),
    "person.signed_out": _("%(actor_name)s signed out"),
    "person.session_aged": _("A session of %(name)s ended because of its age"),
    "invitation.sent": _("%(actor_name)s invited %(person)s to %(organization)s"),
    "invitation.sent_again": _("%(actor_name)s invited %(person)s to %(organization)s again"),
    "invitation.withdrawn": _("%(actor_name)s withdrew the invitation of %(person)s to %(organization)s"),
    "invitations.withdrawn": _("%(actor_name)s withdrew what %(person)s had sent, invitations: %(count)s"),
    "invitation.accepted": _("%(actor_name)s accepted the invitation to %(organization)s"),
    "member.offboarded": _("%(actor_name)s saw %(person)s off from %(organization)s. Taken over by: %(taken_over_by)s"),
    "ledger.exported": _("%(actor_name)s took the whole ledger along as a file, entries: %(entries)s"),
    "membership.added": _("%(actor_name)s made %(person)s a member of %(organization)s"),
    "membership.changed": _("%(actor_name)s changed the role of %(person)s at %(organization)s"),
    "membership.removed": _("%(actor_name)s ended the membership of %(person)s at %(organization)s"),
}
ACCESS = {
    "team.made": _("%(actor_name)s made the team “%(team)s” of %(organization)s, people: %(count)s"),
    "team.changed": _("%(actor_name)s changed the team “%(team)s” of %(organization)s, people: %(count)s"),
    "team.removed": _("%(actor_name)s removed the team “%(team)s” of %(organization)s with its permissions"),
    "person.teams_repaired": _("The platform put %(name)s into the teams of their memberships again"),
    "access.granted": _("%(actor_name)s gave the team “%(team)s” of %(organization)s permissions: %(count)s"),
    "access.revoked": _("%(actor_name)s took permissions from the team “%(team)s” of %(organization)s: %(count)s"),
    "viewing.started": _("%(actor_name)s began to look at the pages as %(name)s sees them"),
    "viewing.ended": _("%(actor_name)s no longer looks at the pages as %(name)s sees them"),
}
CLEARANCE = {
    "agreement.published": _("%(actor_name)s published version %(version)s of an agreement"),
    "agreement.signed": _("%(actor_name)s signed version %(version)s of an agreement"),
    "course.passed": _("%(actor_name)s passed the course %(course)s with %(right)s of %(questions)s answers right"),
    "course.assigned": _("%(name)s is to pass the course %(course)s by %(due_on)s, for %(reference)s"),
    "course.assigned_reminded": _("%(name)s was reminded of the assigned course %(course)s, due on %(due_on)s"),
    "course.reminded": _("%(name)s was reminded that the course %(course)s expires, days left: %(days)s"),
}
FAILED = {
    "course.failed": _(
        "%(actor_name)s did not pass the course %(course)s: %(right)s of %(questions)s answers were right"
    ),
}
COURSES = {
    "confidentiality": _("Keeping customer information confidential"),
    "law": _("The law of personal information: the basics"),
    "maintenance": _("Maintaining customer information after the handover"),
}

REFUSED = {"person.network_refused": _("%(actor_name)s was turned away at %(address)s, outside the allowed networks")}
HOW = {
    "password": _("with a password"),
    "totp": _("with a code of the app"),
    "recovery_codes": _("with a recovery code"),
    "webauthn": _("with a passkey"),
    "code": _("with a code"),
    "demo": _("on the page of the demo"),
}
SIGNED_IN = {"person.signed_in": _("%(actor_name)s signed in %(how)s from %(address)s")}
NOT_SIGNED_IN = {"person.sign_in_failed": _("Somebody at %(address)s failed to sign in as %(name)s %(how)s")}

vocabulary.register(SENTENCES)
vocabulary.register(SIGNED_IN, words={"how": HOW})
vocabulary.register(NOT_SIGNED_IN, kind="bad", words={"how": HOW})
vocabulary.register(ACCESS)
vocabulary.register(REFUSED, kind="bad")
vocabulary.register(CLEARANCE, words={"course": COURSES})
vocabulary.register(FAILED, kind="bad", words={"course": COURSES})
waiting.register(clearance_waiting)
