"""How the entries of this room read in a timeline. Data only; a test walks every move and finds its sentence."""

from django.utils.translation import gettext_lazy as _

SENTENCES = {
    "handover.opened": _("%(actor_name)s opened handover %(reference)s"),
    "handover.necessity.open": _("Gate 1, necessity, is open"),
    "handover.necessity.draft": _("%(actor_name)s wrote the necessity"),
    "handover.necessity.submit": _("%(actor_name)s submitted the necessity for approval"),
    "handover.necessity.approve": _("%(actor_name)s approved the necessity"),
    "handover.scope.open": _("Gate 2, scope, is open"),
    "handover.scope.draft": _("%(actor_name)s changed the scope"),
    "handover.scope.proposed": _("%(actor_name)s proposed version %(version)s of the scope: %(fields)s fields cross"),
    "handover.scope.submit": _("%(actor_name)s asked for approval of the scope"),
    "handover.scope.approve": _("%(actor_name)s approved the scope"),
    "handover.plan.open": _("Gate 3, plan, is open"),
    "handover.plan.draft": _("%(actor_name)s wrote the plan"),
    "handover.plan.submit": _("%(actor_name)s submitted the plan for approval"),
    "handover.plan.approve": _("%(actor_name)s approved the plan"),
    "handover.backup.open": _("Gate 4, backup, is open"),
    "handover.backup.start_backup": _("%(actor_name)s froze the book and started the backup"),
    "handover.backup.backup_proven": _("The backup waits for approval"),
    "handover.backup.proven": _("A test restore proved the backup: %(customers)s customers, every record equal"),
    "handover.backup.destroyed": _("A backup past its date was destroyed, its key first"),
    "handover.backup.approve": _("%(actor_name)s approved the backup"),
    "handover.execution.open": _("Gate 5, execution, is open"),
    "handover.execution.start": _("%(actor_name)s gave the start for the %(side)s"),
    "handover.execution.started": _("The transfer began, attempt %(number)s"),
    "handover.execution.verified": _("What arrived equals what was sent"),
    "handover.audit.open": _("Gate 6, audit, is open"),
    "handover.audit.draw_sample": _("The audit waits for the reviewer"),
    "handover.audit.sampled": _("A random sample of %(size)s of %(customers)s customers was drawn for the audit"),
    "handover.audit.approve": _("%(actor_name)s approved the audit"),
    "handover.delivery.ready": _("The encrypted package for the buyer is ready"),
    "handover.delivery.downloaded": _("%(actor_name)s downloaded the encrypted package, download %(number)s"),
}
PASSED = {
    "handover.necessity.passed": _("Gate 1 passed: necessity"),
    "handover.scope.passed": _("Gate 2 passed: scope"),
    "handover.plan.passed": _("Gate 3 passed: plan"),
    "handover.backup.passed": _("Gate 4 passed: backup"),
    "handover.execution.passed": _("Gate 5 passed: execution"),
    "handover.audit.passed": _("Gate 6 passed: audit"),
    "handover.execution.proven": _("Reading back proved the transfer, attempt %(number)s: the roots are equal"),
    "handover.certificate.issued": _("The certificate was issued and signed"),
    "handover.certified": _("Handover %(reference)s is certified"),
}
STOPPED = {
    "handover.necessity.send_back": _("%(actor_name)s sent the necessity back"),
    "handover.scope.send_back": _("%(actor_name)s sent the scope back"),
    "handover.plan.send_back": _("%(actor_name)s sent the plan back"),
    "handover.backup.send_back": _("%(actor_name)s sent the backup back"),
    "handover.audit.send_back": _("%(actor_name)s asked for a fresh sample"),
    "handover.backup.failed": _("The backup failed"),
    "handover.execution.failed": _("The transfer failed and was undone"),
    "handover.execution.unequal": _("What was read back is not what was sent: %(differences)s customers differ"),
    "handover.execution.rolled_back": _(
        "Attempt %(number)s was undone: %(customers)s customers left the buyer"
    ),
    "handover.execution.reopen": _("Gate 5, execution, is open again"),
    "handover.audit.close": _("Gate 6, audit, is shut again"),
    "handover.stopped": _("%(actor_name)s stopped handover %(reference)s"),
}
