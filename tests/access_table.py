"""Who may open what: the answer of every address to everybody, declared. `docs/access-matrix.md` is made of it by
`bin/access-matrix`; `tests/project/test_urls.py` asks every address and fails where an answer is another one.

A new address: run that test, read the line that it prints, and copy it to its room below if it says what you mean.
"""

from typing import NamedTuple

OBJECTS = (
    "organization",
    "done",
    "going",
    "book",
    "customer",
    "import",
    "job",
    "review",
    "incident",
    "agreement",
    "signature",
    "completion",
    "session",
    "passkey",
    "membership",
    "invitation",
    "departure",
    "person",
    "team",
    "grant",
    "question",
    "told",
    "addressee",
    "link",
    "request",
    "hold",
    "consent",
)


class Page(NamedTuple):
    """`objects`: what the address names, by keys of `OBJECTS` (`world.make_world` makes one of each), or literal text.
    `get` and `post` (an empty form): the answers to `world.ACTORS`, in their order; a status, or "login" for the way to
    sign in. One answer stands for all."""

    objects: str
    get: str
    post: str


# In the order of world.ACTORS: anonymous; lead, clerk and reviewer of other organizations; seller's lead and clerk,
# buyer's lead and clerk, the review firm's reviewer; agent.
PAGES: dict[str, Page] = {
    # ---- accounts (the demo's pages exist in the demo setting only)
    "home": Page("", "login 200 200 200 200 200 200 200 200 200", "405"),
    "language": Page("", "302", "302"),
    "theme": Page("", "405", "302"),
    "networks": Page("", "login 200 404 404 200 404 200 404 404 404", "405"),
    "networks_change": Page(
        "organization", "login 404 404 404 302 404 404 404 404 404", "login 404 404 404 302 404 404 404 404 404"
    ),
    "demo": Page("", "404", "404"),
    "look": Page("", "404", "404"),
    "account_login": Page("", "200 302 302 302 302 302 302 302 302 302", "200 302 302 302 302 302 302 302 302 302"),
    "account_logout": Page("", "302 200 200 200 200 200 200 200 200 200", "302"),
    "account_inactive": Page("", "200", "405"),
    "account_signup": Page("", "200 302 302 302 302 302 302 302 302 302", "200 302 302 302 302 302 302 302 302 302"),
    "account_change_password": Page(
        "", "login 302 302 302 302 302 302 302 302 302", "login 302 302 302 302 302 302 302 302 302"
    ),
    "account_set_password": Page(
        "", "login 200 200 200 200 200 200 200 200 200", "login 200 200 200 200 200 200 200 200 200"
    ),
    "account_reset_password": Page("", "200", "200"),
    "account_reset_password_done": Page("", "200", "405"),
    "account_reset_password_from_key": Page("x x", "200", "200"),
    "account_reset_password_from_key_done": Page("", "200", "405"),
    "mfa_authenticate": Page(
        "", "login 302 302 302 302 302 302 302 302 302", "login 302 302 302 302 302 302 302 302 302"
    ),
    "mfa_login_webauthn": Page(
        "", "login 302 302 302 302 302 302 302 302 302", "login 302 302 302 302 302 302 302 302 302"
    ),
    "account_reauthenticate": Page(
        "", "login 403 403 403 302 403 403 403 403 403", "login 403 403 403 302 403 403 403 403 403"
    ),
    "mfa_reauthenticate": Page(
        "", "login 403 403 403 302 403 403 403 403 403", "login 403 403 403 302 403 403 403 403 403"
    ),
    "mfa_reauthenticate_webauthn": Page(
        "", "login 403 403 403 200 403 403 403 403 403", "login 403 403 403 302 403 403 403 403 403"
    ),
    "mfa_index": Page("", "login 200 200 200 200 200 200 200 200 200", "405"),
    "mfa_activate_totp": Page(
        "", "login 200 200 200 302 200 200 200 200 200", "login 200 200 200 302 200 200 200 200 200"
    ),
    "mfa_deactivate_totp": Page(
        "", "login 404 404 404 404 404 404 404 404 404", "login 404 404 404 404 404 404 404 404 404"
    ),
    "mfa_add_webauthn": Page(
        "", "login 200 200 200 302 200 200 200 200 200", "login 200 200 200 302 200 200 200 200 200"
    ),
    "mfa_edit_webauthn": Page(
        "passkey", "login 404 404 404 302 404 404 404 404 404", "login 404 404 404 302 404 404 404 404 404"
    ),
    "mfa_remove_webauthn": Page(
        "passkey", "login 404 404 404 302 404 404 404 404 404", "login 404 404 404 302 404 404 404 404 404"
    ),
    "mfa_view_recovery_codes": Page(
        "", "login 404 404 404 404 404 404 404 404 404", "login 405 405 405 405 405 405 405 405 405"
    ),
    "mfa_generate_recovery_codes": Page(
        "", "login 200 200 200 302 200 200 200 200 200", "login 200 200 200 302 200 200 200 200 200"
    ),
    "sessions": Page("", "login 200 200 200 200 200 200 200 200 200", "405"),
    "sessions_end_others": Page("", "405", "login 302 302 302 302 302 302 302 302 302"),
    "session_end": Page("session", "405", "login 404 404 404 302 404 404 404 404 404"),
    "clearance": Page("", "login 200 200 200 200 200 200 200 200 200", "login 405 405 405 405 405 405 405 405 405"),
    "agreement": Page(
        "agreement", "login 404 404 404 200 200 404 404 404 200", "login 404 404 404 422 422 404 404 404 422"
    ),
    "agreement_publish": Page(
        "", "login 200 404 404 200 404 200 404 404 200", "login 422 404 404 422 404 422 404 404 422"
    ),
    "signed_copy": Page(
        "signature", "login 404 404 404 200 200 404 404 404 200", "login 405 405 405 405 405 405 405 405 405"
    ),
    "course": Page("law", "login 200 200 200 200 200 200 200 200 200", "login 405 405 405 405 405 405 405 405 405"),
    "lesson": Page("law 1", "login 200 200 200 200 200 200 200 200 200", "login 405 405 405 405 405 405 405 405 405"),
    "quiz": Page("law", "login 200 200 200 200 200 200 200 200 200", "login 422 422 422 422 422 422 422 422 422"),
    "course_certificate": Page(
        "completion", "login 404 404 404 200 200 404 404 404 200", "login 405 405 405 405 405 405 405 405 405"
    ),
    "access": Page("", "login 200 404 404 200 404 200 404 404 200", "login 405 405 405 405 405 405 405 405 405"),
    "team_new": Page("", "login 200 404 404 200 404 200 404 404 200", "login 422 404 404 422 404 422 404 404 422"),
    "team_change": Page(
        "team", "login 404 404 404 200 404 404 404 404 200", "login 404 404 404 422 404 404 404 404 422"
    ),
    "team_remove": Page(
        "team", "login 405 405 405 405 405 405 405 405 405", "login 404 404 404 302 404 404 404 404 302"
    ),
    "access_person": Page(
        "person", "login 404 404 404 200 404 404 404 404 200", "login 405 405 405 405 405 405 405 405 405"
    ),
    "view_as": Page("person", "login 405 405 405 405 405 405 405 405 405", "login 404 404 404 302 404 404 404 404 302"),
    "view_stop": Page("", "login 405 405 405 405 405 405 405 405 405", "login 302 302 302 302 302 302 302 302 302"),
    "access_grant": Page(
        "handover going", "login 404 404 404 200 404 200 404 404 200", "login 404 404 404 422 404 422 404 404 422"
    ),
    "access_revoke": Page(
        "handover grant", "login 405 405 405 405 405 405 405 405 405", "login 404 404 404 302 404 404 404 404 302"
    ),
    "invitation": Page("", "404", "404"),
    "invitation_link": Page("x", "404", "405"),
    "people": Page("", "login 200 404 404 200 404 200 404 404 200", "405"),
    "invite": Page(
        "organization", "login 404 404 404 200 404 404 404 404 200", "login 404 404 404 422 404 404 404 404 422"
    ),
    "invitation_again": Page(
        "invitation", "login 405 405 405 405 405 405 405 405 405", "login 404 404 404 302 404 404 404 404 302"
    ),
    "invitation_withdraw": Page(
        "invitation", "login 405 405 405 405 405 405 405 405 405", "login 404 404 404 302 404 404 404 404 302"
    ),
    "member_role": Page(
        "membership", "login 404 404 404 200 404 404 404 404 200", "login 404 404 404 422 404 404 404 404 422"
    ),
    "offboard": Page(
        "membership", "login 404 404 404 200 404 404 404 404 200", "login 404 404 404 422 404 404 404 404 422"
    ),
    "departure": Page(
        "departure", "login 404 404 404 200 404 404 404 404 200", "login 405 405 405 405 405 405 405 405 405"
    ),
    "ledger_export": Page("", "login 405 405 405 405 405 405 405 405 405", "login 404 404 404 404 404 404 404 404 200"),
    # ---- jobs
    "jobs:list": Page("", "login 200 200 200 200 200 200 200 200 200", "login 405 405 405 405 405 405 405 405 405"),
    "jobs:detail": Page(
        "job", "login 404 404 404 200 200 404 404 404 200", "login 405 405 405 405 405 405 405 405 405"
    ),
    "jobs:panel": Page("job", "login 404 404 404 200 200 404 404 404 200", "login 405 405 405 405 405 405 405 405 405"),
    "jobs:cancel": Page(
        "job", "login 404 404 404 302 302 404 404 404 404", "login 404 404 404 302 302 404 404 404 404"
    ),
    "jobs:retry": Page("job", "login 405 405 405 405 405 405 405 405 405", "login 404 404 404 302 302 404 404 404 404"),
    "jobs:pause": Page("job", "login 404 404 404 200 200 404 404 404 404", "login 404 404 404 200 200 404 404 404 404"),
    "jobs:go_on": Page("job", "login 405 405 405 405 405 405 405 405 405", "login 404 404 404 302 302 404 404 404 404"),
    # ---- ledger
    "ledger:list": Page("", "login 200 200 200 200 200 200 200 200 200", "login 405 405 405 405 405 405 405 405 405"),
    # ---- customers
    "customers:books": Page(
        "", "login 200 200 200 200 200 200 200 200 200", "login 405 405 405 405 405 405 405 405 405"
    ),
    "customers:book_new": Page(
        "", "login 200 200 404 200 200 200 200 404 404", "login 422 422 404 422 422 422 422 404 404"
    ),
    "customers:book": Page(
        "book", "login 404 404 404 200 200 404 404 404 404", "login 405 405 405 405 405 405 405 405 405"
    ),
    "customers:book_search": Page(
        "book", "login 404 404 404 302 302 404 404 404 404", "login 404 404 404 302 302 404 404 404 404"
    ),
    "customers:book_export": Page(
        "book", "login 405 405 405 405 405 405 405 405 405", "login 404 404 404 302 302 404 404 404 404"
    ),
    "customers:book_derive": Page(
        "book", "login 405 405 405 405 405 405 405 405 405", "login 404 404 404 302 302 404 404 404 404"
    ),
    "customers:book_rule": Page(
        "book basic", "login 404 404 404 200 404 404 404 404 404", "login 404 404 404 422 404 404 404 404 404"
    ),
    "customers:customer": Page(
        "customer", "login 404 404 404 200 200 404 404 404 404", "login 405 405 405 405 405 405 405 405 405"
    ),
    "customers:customer_reveal": Page(
        "customer basic", "login 404 404 404 302 302 404 404 404 404", "login 404 404 404 422 422 404 404 404 404"
    ),
    "customers:import_upload": Page(
        "book", "login 404 404 404 200 200 404 404 404 404", "login 404 404 404 200 200 404 404 404 404"
    ),
    "customers:import": Page(
        "import", "login 404 404 404 200 200 404 404 404 404", "login 405 405 405 405 405 405 405 405 405"
    ),
    "customers:import_check": Page(
        "import", "login 404 404 404 302 302 404 404 404 404", "login 404 404 404 302 302 404 404 404 404"
    ),
    "customers:import_change": Page(
        "import", "login 405 405 405 405 405 405 405 405 405", "login 404 404 404 302 302 404 404 404 404"
    ),
    "customers:import_bad_rows": Page(
        "import", "login 404 404 404 200 200 404 404 404 404", "login 405 405 405 405 405 405 405 405 405"
    ),
    "customers:import_store": Page(
        "import", "login 405 405 405 405 405 405 405 405 405", "login 404 404 404 302 302 404 404 404 404"
    ),
    "customers:import_cancel": Page(
        "import", "login 404 404 404 200 200 404 404 404 404", "login 404 404 404 302 302 404 404 404 404"
    ),
    "customers:book_holds": Page(
        "book", "login 404 404 404 200 200 404 404 404 404", "login 404 404 404 422 422 404 404 404 404"
    ),
    "customers:customer_holds": Page(
        "customer", "login 404 404 404 200 200 404 404 404 404", "login 404 404 404 422 422 404 404 404 404"
    ),
    "customers:customer_consents": Page(
        "customer", "login 404 404 404 200 200 404 404 404 404", "login 404 404 404 422 422 404 404 404 404"
    ),
    "customers:hold_release": Page("hold", "405", "login 404 404 404 302 302 404 404 404 404"),
    "customers:consent_withdraw": Page("consent", "405", "login 404 404 404 422 422 404 404 404 404"),
    "customers:requests": Page(
        "book", "login 404 404 404 200 200 404 404 404 404", "login 405 405 405 405 405 405 405 405 405"
    ),
    "customers:request": Page(
        "request", "login 404 404 404 200 200 404 404 404 404", "login 405 405 405 405 405 405 405 405 405"
    ),
    "customers:request_read": Page("request", "405", "login 404 404 404 302 302 404 404 404 404"),
    "customers:request_close": Page("request", "405", "login 404 404 404 422 422 404 404 404 404"),
    # ---- compliance
    "compliance:queue": Page("", "login 200 200 200 200 200 200 200 200 200", "405"),
    "compliance:review": Page("review", "login 404 404 404 200 200 200 200 200 200", "405"),
    "compliance:claim": Page("review", "405", "login 404 404 404 302 302 302 302 302 302"),
    "compliance:release": Page("review", "405", "login 404 404 404 302 302 302 302 302 302"),
    "compliance:work": Page("review", "405", "login 404 404 404 200 200 200 200 200 200"),
    # ---- handover
    "law": Page("", "login 200 200 200 200 200 200 200 200 200", "405"),
    "handover:list": Page("", "login 200 200 200 200 200 200 200 200 200", "405"),
    "handover:open": Page("", "login 200 403 403 200 403 200 403 403 200", "login 422 403 403 422 403 422 403 403 422"),
    "handover:detail": Page("done", "login 404 404 404 200 200 200 200 200 200", "405"),
    "handover:stop": Page(
        "going", "login 404 404 404 200 302 200 302 200 200", "login 404 404 404 422 422 422 422 422 422"
    ),
    "handover:readiness": Page("done", "login 404 404 404 200 200 200 200 200 200", "405"),
    "handover:buyer_invitation": Page(
        "going", "login 404 404 404 200 200 200 200 200 200", "login 404 404 404 302 302 302 302 302 302"
    ),
    "handover:mechanism": Page(
        "done", "login 404 404 404 200 200 200 200 200 200", "login 404 404 404 422 422 422 422 422 422"
    ),
    "handover:mechanism_approve": Page("done", "405", "login 404 404 404 404 404 404 404 404 404"),
    "handover:assessment": Page(
        "done", "login 404 404 404 200 200 200 200 200 200", "login 404 404 404 422 422 422 422 422 422"
    ),
    "handover:necessity": Page(
        "done", "login 404 404 404 200 200 200 200 200 200", "login 404 404 404 422 422 422 422 422 422"
    ),
    "handover:scope": Page("done", "login 404 404 404 200 200 200 200 200 200", "405"),
    "handover:scope_propose": Page(
        "going", "login 404 404 404 302 200 302 200 302 302", "login 404 404 404 422 422 422 422 422 422"
    ),
    "handover:scope_compare": Page("done", "login 404 404 404 302 302 302 302 302 302", "405"),
    "handover:scope_questions": Page(
        "going", "login 404 404 404 200 200 200 200 200 200", "login 404 404 404 422 422 422 422 422 422"
    ),
    "handover:scope_reply": Page("question", "405", "login 404 404 404 422 422 422 422 422 422"),
    "handover:scope_resolve": Page("question", "405", "login 404 404 404 302 302 302 302 302 302"),
    "handover:scope_version": Page("done 1", "login 404 404 404 200 200 200 200 200 200", "405"),
    "handover:plan": Page(
        "done", "login 404 404 404 200 200 200 200 200 200", "login 404 404 404 422 422 422 422 422 422"
    ),
    "handover:backup": Page("done", "login 404 404 404 200 200 200 200 200 200", "405"),
    "handover:backup_start": Page("done", "405", "login 404 404 404 302 302 302 302 302 302"),
    "handover:screen_again": Page("done", "405", "login 404 404 404 302 302 302 302 302 302"),
    "handover:execution": Page("done", "login 404 404 404 200 200 200 200 200 200", "405"),
    "handover:execution_start": Page(
        "done", "login 404 404 404 302 302 302 302 302 302", "login 404 404 404 302 302 302 302 302 302"
    ),
    "handover:rehearse": Page("done", "405", "login 404 404 404 302 302 302 302 302 302"),
    "handover:differences": Page("done 1", "login 404 404 404 200 200 200 200 200 200", "405"),
    "handover:differences_csv": Page("done 1", "login 404 404 404 200 200 200 200 200 200", "405"),
    "handover:audit": Page("done", "login 404 404 404 200 200 200 200 200 200", "405"),
    "handover:after": Page("done", "login 404 404 404 200 200 200 200 200 200", "405"),
    "handover:after_accept": Page("done", "405", "login 404 404 404 302 302 302 302 302 302"),
    "handover:after_rollback": Page(
        "done", "login 404 404 404 200 200 200 200 200 200", "login 404 404 404 422 422 422 422 422 422"
    ),
    "handover:after_dispose": Page("done", "405", "login 404 404 404 302 302 302 302 302 302"),
    "handover:after_task": Page("done inform", "405", "login 404 404 404 422 422 422 422 422 422"),
    "handover:after_certificate": Page("done", "login 404 404 404 404 404 404 404 404 404", "405"),
    "handover:after_certificate_pdf": Page("done", "login 404 404 404 404 404 404 404 404 404", "405"),
    "handover:after_certificate_json": Page("done", "login 404 404 404 404 404 404 404 404 404", "405"),
    "handover:certificate": Page("done", "login 404 404 404 200 200 200 200 200 200", "405"),
    "handover:certificate_json": Page("done", "login 404 404 404 200 200 200 200 200 200", "405"),
    "handover:manifest": Page("done", "login 404 404 404 200 200 200 200 200 200", "405"),
    "handover:package": Page("done", "login 404 404 404 200 200 200 200 200 200", "405"),
    "handover:package_ticket": Page("done", "405", "login 404 404 404 422 422 422 422 422 422"),
    "handover:package_file": Page("done x", "login 404 404 404 404 404 404 404 404 404", "405"),
    "handover:package_send": Page("told", "405", "login 404 404 404 404 404 404 404 404 404"),
    "handover:target": Page(
        "told", "login 404 404 404 302 302 200 302 302 302", "login 404 404 404 422 422 422 422 422 422"
    ),
    "handover:target_check": Page("told", "405", "login 404 404 404 404 404 404 404 404 404"),
    "handover:package_again": Page("done", "405", "login 404 404 404 302 302 302 302 302 302"),
    "handover:certificate_pdf": Page("done", "login 404 404 404 200 200 200 200 200 200", "405"),
    "handover:proof": Page(
        "done", "login 404 404 404 200 302 200 302 302 302", "login 404 404 404 422 422 422 422 422 422"
    ),
    "handover:countersign": Page(
        "done", "login 404 404 404 302 302 200 302 302 302", "login 404 404 404 302 302 302 302 302 302"
    ),
    "handover:countersignatures": Page("done", "login 404 404 404 200 200 200 200 200 200", "405"),
    "handover:countersign_key": Page("done seller", "login 404 404 404 200 200 200 200 200 200", "405"),
    "verify": Page("", "200", "405"),
    "verdict": Page("x", "404", "405"),
    "handover:certificate_key": Page("", "200", "405"),
    "handover:approve": Page(
        "going scope", "login 404 404 404 200 302 200 302 302 302", "login 404 404 404 302 302 302 302 302 302"
    ),
    "handover:send_back": Page(
        "going scope", "login 404 404 404 200 302 200 302 302 302", "login 404 404 404 422 422 422 422 422 422"
    ),
    "handover:notices": Page("told", "login 404 404 404 200 200 200 200 200 200", "405"),
    "handover:notice_write": Page(
        "told", "login 404 404 404 200 200 404 404 404 404", "login 404 404 404 422 422 404 404 404 404"
    ),
    "handover:notice_approve": Page("told", "405", "login 404 404 404 302 302 302 302 302 302"),
    "handover:notice_send": Page("told", "405", "login 404 404 404 302 302 302 302 302 302"),
    "handover:notice_withdraw": Page("told", "405", "login 404 404 404 302 302 302 302 302 302"),
    "handover:notice_announce": Page("told", "405", "login 404 404 404 302 302 302 302 302 302"),
    "handover:notice_letters": Page("told", "405", "login 404 404 404 302 302 302 302 302 302"),
    "handover:notice_announcement": Page("told", "login 404 404 404 200 200 200 200 200 200", "405"),
    "handover:notice_settle": Page("addressee", "405", "login 404 404 404 302 302 404 404 404 404"),
    "handover:notice_answer": Page("addressee", "405", "login 404 404 404 302 302 404 404 404 404"),
    # The link is the right to it, whoever opens it.
    "notice": Page("link", "200", "422"),
    # ---- incidents
    "incidents:list": Page("", "login 200 200 200 200 200 200 200 200 200", "405"),
    "incidents:report": Page(
        "", "login 200 200 200 200 200 200 200 200 200", "login 200 200 200 200 200 200 200 200 200"
    ),
    "incidents:detail": Page("incident", "login 404 404 404 200 200 404 404 404 200", "405"),
    "incidents:entry": Page("incident", "405", "login 404 404 404 200 200 404 404 404 200"),
    "incidents:state": Page("incident", "405", "login 404 404 404 200 200 404 404 404 200"),
    "posture": Page("", "login 404 404 404 404 404 404 404 404 200", "405"),
    # ---- config
    "metrics": Page("", "403 403 403 403 403 403 403 403 403 200", "405"),
    "healthz": Page("", "200", "405"),
    "csp_report": Page("", "405", "415"),
}
