"""Every table of the database and who may touch its rows: the one place where that is written.

Keys are models. `tenancy.applying` makes it so after each `manage.py migrate`, which fails for a table that is missing
here; the application has no right on such a table at all."""

from collections.abc import Mapping
from dataclasses import dataclass

_ORGANIZATIONS = "(SELECT string_to_array(current_setting('app.organizations', true), ','))"
# Scalar subqueries are read once for a statement, not once for a row.
MINE = f"ANY ({_ORGANIZATIONS}::uuid[])"
EVERYTHING = "(SELECT current_setting('app.everything', true) = 'on')"
CASES = "(SELECT current_setting('app.cases', true) = 'on')"
PERSON = "(SELECT nullif(current_setting('app.person', true), '')::uuid)"
_AUDIENCE = f"audience && {_ORGANIZATIONS}::uuid[]"


@dataclass(frozen=True, slots=True)
class Guarded:
    """Only rows for which `rows` (SQL) holds are seen, locked, changed and removed by those for whom `app.everything`
    is not set. `added`: what must hold for a new row, where that is said another way. `append_only`: nobody changes or
    removes."""

    rows: str
    added: str = ""
    append_only: bool = False


@dataclass(frozen=True, slots=True)
class Open:
    """No policy, and why. `grants`: what the application may do there."""

    why: str
    grants: str = "SELECT, INSERT, UPDATE, DELETE"


def _within(table: str, column: str) -> str:
    """Rows whose parent may be seen. EXISTS, not IN: for a few rows the planner looks each parent up, for many it
    reads the parents once."""
    return f"EXISTS (SELECT FROM {table} parent WHERE parent.id = {column})"  # nosec B608


def _one_by_one(table: str, column: str) -> str:
    """The same for new rows: OFFSET keeps the planner, which knows nothing of what is being loaded, from reading all
    parents for every chunk of an import."""
    return f"EXISTS (SELECT FROM {table} parent WHERE parent.id = {column} OFFSET 0)"  # nosec B608


# Few books, many customers: the books that may be seen are read once for a statement, also while rows are stored.
_OF_BOOKS = "book_id = ANY ((SELECT array_agg(visible.id) FROM customers_book visible)::uuid[])"
_BOOK = Guarded(_OF_BOOKS)
_ON_BOOK = Guarded(_OF_BOOKS.replace("book_id", "content_object_id", 1))
_CUSTOMER = Guarded(
    _within("customers_customer", "customer_id"), added=_one_by_one("customers_customer", "customer_id")
)
_HANDOVER = Guarded(_within("handover_handover", "handover_id"))
# Buyer and reviewer read the notice, and learn of nobody who was told or answered.
_OF_SELLER = (
    f"EXISTS (SELECT FROM handover_notice notice JOIN handover_handover sold ON sold.id = notice.handover_id"  # nosec B608
    f" WHERE notice.id = notice_id AND sold.seller_id = {MINE})"
)
_ON_HANDOVER = Guarded(_within("handover_handover", "content_object_id"))
_STEP = Guarded(_within("handover_step", "step_id"))
_EXECUTION = Guarded(_within("handover_execution", "execution_id"))
# Hashes of what goes along: a reviewer who knows an id could try out what it says.
_OF_BOTH = (
    f"EXISTS (SELECT FROM handover_execution attempt JOIN handover_handover sold ON sold.id = attempt.handover_id"  # nosec B608
    f" WHERE attempt.id = execution_id AND (sold.seller_id = {MINE} OR sold.buyer_id = {MINE}))"
)
# Whom the buyer has already is nobody else's business.
_OF_BUYER = f"EXISTS (SELECT FROM handover_handover bought WHERE bought.id = handover_id AND bought.buyer_id = {MINE})"  # nosec B608
_REVIEW = Guarded(_within("compliance_review", "review_id"))

_SHARED = " OR ".join(
    f"EXISTS (SELECT FROM {table} shared WHERE shared.{column} = customers_book.id)"  # nosec B608
    for table, column in (
        ("handover_handover", "book_id"),
        ("handover_execution", "target_id"),
        ("compliance_screening", "book_id"),
    )
)

# Whose work it is sees it; the other parties of a handover see how its work stands, and stop it when they may stop all.
_AT_WORK = f"audience ?| {_ORGANIZATIONS}"
_OF_HANDOVER = " OR ".join(
    f"EXISTS (SELECT FROM {table} shared WHERE shared.{column} = $1)"  # nosec B608
    for table, column in (
        ("handover_backup", "write_job_id"),
        ("handover_backup", "restore_job_id"),
        ("handover_execution", "transfer_job_id"),
        ("handover_execution", "verify_job_id"),
        ("handover_delivery", "job_id"),
        ("handover_push", "job_id"),
        ("handover_disposition", "job_id"),
        ("handover_notice", "job_id"),
    )
)

# Conditions over many tables, as functions of the database by name: each connection plans them once. Within a policy
# every statement would be planned with all of these tables and their policies anew, which takes longer than the rest of
# it. They run with the rights of whoever asks.
FUNCTIONS: Mapping[str, str] = {"jobs_of_a_handover": f"BEGIN RETURN {_OF_HANDOVER}; END"}


def _of_person(table: str) -> str:
    """One's own, and those of the people of one's organizations: a lead sees what colleagues miss."""
    return (
        f"user_id = {PERSON} OR EXISTS (SELECT FROM accounts_membership colleague"  # nosec B608
        f" WHERE colleague.user_id = {table}.user_id AND colleague.organization_id = {MINE})"
    )


def _of_team(table: str) -> str:
    """Permissions belong to the organization of the team that has them, not to that of the book or handover."""
    return (
        f"EXISTS (SELECT FROM accounts_team team WHERE team.group_id = {table}.group_id"  # nosec B608
        f" AND team.organization_id = {MINE})"
    )


# The parties of a handover are told who may act at its gates.
_AT_A_GATE = "EXISTS (SELECT FROM handover_handovergrouppermission held WHERE held.group_id = accounts_team.group_id)"  # nosec B608

_KEYS = Open("Wrapped by the root key; asked for only by the ids of rows that one may see.")
_REGISTER = Open("Whom sign-in must find before a person is known, and names that partners see.")
_GENERIC = Open(
    "Guardian's generic tables: permissions have tables of their own, nothing is kept here.", grants="SELECT, DELETE"
)
_DJANGO = Open("Django's own: nothing of an organization.")
_LAW = Open("The same for everybody; taken up from its file by the owner of the tables.", grants="SELECT")
_SESSIONS = Open("Found by a secret that only its holder knows.")
_HASHES = Open("Hashes and signatures; anybody may verify.", grants="SELECT, INSERT")

TABLES: Mapping[str, Guarded | Open] = {
    "customers.Book": Guarded(f"organization_id = {MINE} OR ({CASES} AND ({_SHARED}))"),
    "customers.BookGroupPermission": Guarded(_of_team("customers_bookgrouppermission")),
    "customers.BookUserPermission": _ON_BOOK,
    "customers.Customer": _BOOK,
    "customers.Purchase": _CUSTOMER,
    "customers.Habit": _CUSTOMER,
    "customers.Import": _BOOK,
    "customers.RetentionRule": _BOOK,
    "customers.Destruction": _BOOK,
    "customers.SubjectRequest": _BOOK,
    "customers.Hold": _BOOK,
    "customers.Consent": _CUSTOMER,
    "customers.Arrival": _BOOK,
    "customers.Terms": _CUSTOMER,
    "customers.Link": Guarded(_within("customers_customer", "arrived_id")),
    "handover.Handover": Guarded(f"seller_id = {MINE} OR buyer_id = {MINE} OR reviewer_id = {MINE}"),
    "handover.HandoverGroupPermission": _ON_HANDOVER,
    "handover.HandoverUserPermission": _ON_HANDOVER,
    "handover.Step": _HANDOVER,
    "handover.Step_writers": _STEP,
    "handover.Approval": _STEP,
    "handover.ScopeProposal": _HANDOVER,
    "handover.ScopeItem": Guarded(_within("handover_scopeproposal", "proposal_id")),
    "handover.ScopeQuestion": _HANDOVER,
    "handover.ScopeMessage": Guarded(_within("handover_scopequestion", "question_id")),
    "handover.ScopeReading": Guarded(f"user_id = {PERSON}"),
    "handover.TransferPlan": _HANDOVER,
    "handover.Renewal": _HANDOVER,
    "handover.Backup": Guarded(f"{_within('handover_handover', 'handover_id')} OR {_OF_BOOKS}"),
    "handover.Execution": _HANDOVER,
    "handover.DryRun": _HANDOVER,
    "handover.Reconciliation": _EXECUTION,
    "handover.Carried": Guarded(_OF_BOTH),
    "handover.Matching": Guarded(_OF_BUYER),
    "handover.SampledRecord": _EXECUTION,
    "handover.SentAbroad": _EXECUTION,
    "handover.Certificate": _HANDOVER,
    "handover.Countersignature": Guarded(_within("handover_certificate", "certificate_id"), append_only=True),
    "handover.Delivery": _HANDOVER,
    "handover.DeliveryTarget": _HANDOVER,
    "handover.DownloadTicket": Guarded(_within("handover_delivery", "delivery_id")),
    "handover.Push": Guarded(_within("handover_delivery", "delivery_id")),
    "handover.Notice": _HANDOVER,
    "handover.Acceptance": _HANDOVER,
    "handover.Disposition": _HANDOVER,
    "handover.OnboardingTask": _HANDOVER,
    "handover.Addressee": Guarded(_OF_SELLER),
    "compliance.Screening": Guarded(_AUDIENCE),
    "compliance.ScreeningHit": Guarded(_within("compliance_screening", "screening_id")),
    "compliance.Review": Guarded(_AUDIENCE),
    "compliance.ChecklistItem": _REVIEW,
    "compliance.Finding": _REVIEW,
    "compliance.ImpactAssessment": Guarded(_AUDIENCE),
    "compliance.Jurisdiction": _LAW,
    "compliance.LegalBasis": _LAW,
    "compliance.Obligation": _LAW,
    "incidents.Incident": Guarded(f"organization_id = {MINE} OR {_AUDIENCE} OR reported_by_id = {PERSON}"),
    "incidents.TimelineEntry": Guarded(_within("incidents_incident", "incident_id")),
    "incidents.IncidentYear": Open("The last number given out in a year."),
    "jobs.Job": Guarded(f"{_AT_WORK} OR ({CASES} AND jobs_of_a_handover(jobs_job.id))", added=_AT_WORK),
    "jobs.Chunk": Guarded(_within("jobs_job", "job_id")),
    "ledger.Entry": Guarded(f"{_AUDIENCE} OR actor = {PERSON}", added="true", append_only=True),
    "ledger.Leaf": _HASHES,
    "ledger.Checkpoint": _HASHES,
    "ledger.Verification": Open("Whether the ledger held; on the page of everybody who reads it.", "SELECT, INSERT"),
    "vault.OrganizationKey": _KEYS,
    "vault.DataKey": _KEYS,
    "vault.SigningKey": _KEYS,
    "accounts.User": _REGISTER,
    "accounts.User_groups": _REGISTER,
    "accounts.User_user_permissions": _REGISTER,
    "accounts.Organization": _REGISTER,
    "accounts.Membership": _REGISTER,
    "accounts.Team": Guarded(f"organization_id = {MINE} OR ({CASES} AND {_AT_A_GATE})"),
    "accounts.Invitation": Guarded(f"organization_id = {MINE}"),
    "accounts.Departure": Guarded(f"organization_id = {MINE} OR person_id = {PERSON}", append_only=True),
    "accounts.Agreement": Open("Texts that partners must read to sign them; a trigger keeps each as it is."),
    "accounts.Signature": Guarded(_of_person("accounts_signature"), append_only=True),
    "accounts.Assignment": Guarded(_of_person("accounts_assignment")),
    "accounts.Completion": Guarded(_of_person("accounts_completion")),
    "account.EmailAddress": _REGISTER,
    "account.EmailConfirmation": _REGISTER,
    "mfa.Authenticator": _REGISTER,
    "usersessions.UserSession": _REGISTER,
    "sessions.Session": _SESSIONS,
    "guardian.GroupObjectPermission": _GENERIC,
    "guardian.UserObjectPermission": _GENERIC,
    "admin.LogEntry": _DJANGO,
    "auth.Permission": _DJANGO,
    "auth.Group": _DJANGO,
    "auth.Group_permissions": _DJANGO,
    "contenttypes.ContentType": _DJANGO,
    "django_celery_beat.SolarSchedule": _DJANGO,
    "django_celery_beat.IntervalSchedule": _DJANGO,
    "django_celery_beat.ClockedSchedule": _DJANGO,
    "django_celery_beat.CrontabSchedule": _DJANGO,
    "django_celery_beat.PeriodicTasks": _DJANGO,
    "django_celery_beat.PeriodicTask": _DJANGO,
}
