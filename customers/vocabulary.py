"""How the entries of this room read in a timeline. Data only."""

from django.utils.translation import gettext_lazy as _

from customers.models import Category

# The data of an entry that are codes, in words.
WORDS = {"category": {category.value: category.label for category in Category}}

BOOKS = {
    "book.created": _("%(actor_name)s opened the book “%(name)s”."),
    "book.staged": _("%(actor_name)s prepared the book “%(name)s” for a handover to arrive."),
    "book.open": _("%(actor_name)s opened the book “%(name)s” for work again."),
    "book.frozen": _("%(actor_name)s froze the book “%(name)s” for a handover."),
    "book.rule_set": _(
        "%(actor_name)s set that “%(category)s” is kept %(months)s months after collection. Reason: %(reason)s"
    ),
    "book.hold_placed": _("%(actor_name)s ordered that nothing in this book is destroyed."),
    "book.hold_released": _("%(actor_name)s released a hold of the whole book."),
    "book.exported": _("%(actor_name)s exported a list of %(customers)s customers with masked values."),
}
DISCARDED = {"book.discarded": _("%(actor_name)s discarded the book “%(name)s”.")}
CUSTOMERS = {
    "customer.request.opened": _("A customer opened a request: %(kind)s"),
    "customer.request.read": _("%(actor_name)s read a customer's request: %(kind)s"),
    "customer.request.closed": _("%(actor_name)s answered a customer's request: %(kind)s, %(state)s"),
    "customer.hold_placed": _("%(actor_name)s ordered that this customer's data is not destroyed."),
    "customer.hold_released": _("%(actor_name)s released a hold: this customer's data may be destroyed again."),
    "customer.consent_given": _("%(actor_name)s recorded a consent of the customer."),
    "customer.consent_withdrawn": _("%(actor_name)s recorded that the customer withdrew a consent."),
    "customer.consent_answered": _("The customer's answer to a notice was kept as a consent: %(state)s"),
    "customer.merged_received": _("Received what another record of the same person brought with %(reference)s."),
    "customer.merged_given": _("Merged into a customer who was there already, as the plan of %(reference)s says."),
    "customer.merged_expired": _("What came with %(reference)s was taken out again: its last day has come."),
    "customer.revealed": _("%(actor_name)s opened “%(category)s”. Purpose: %(purpose)s"),
    "customers.destroyed": _("%(actor_name)s destroyed %(keys)s keys of “%(category)s”: nobody can open the values."),
}
HABITS = {
    "habits.requested": _("%(actor_name)s asked for habits to be derived from the purchases."),
    "habits.derived": _(
        "%(actor_name)s had habits derived: %(derived)s new, %(refreshed)s refreshed, %(same)s unchanged, "
        "%(stated)s stated ones kept; %(nothing)s customers have nothing to derive from."
    ),
    "habits.canceled": _("Deriving habits was canceled. What was done before stays, marked as derived."),
}
FAILED = {
    "book.reveals_limited": _("%(actor_name)s opened values in %(book)s faster than the limit allows and was stopped."),
    "habits.failed": _("Deriving habits stopped before its end. What was done before stays, marked as derived."),
    "import.unreadable": _("The platform could not read the file."),
    "import.interrupted": _("The platform gave up checking the file after several interruptions."),
}
IMPORTS = {
    "import.uploaded": _("%(actor_name)s uploaded a file of %(bytes)s bytes for import."),
    "import.checked": _(
        "The platform checked %(rows)s rows of the file: %(customers)s customers can be stored, %(bad)s rows are bad."
    ),
    "import.started": _(
        "%(actor_name)s confirmed that %(customers)s customers are stored and %(bad)s bad rows left out."
    ),
    "import.stored": _(
        "%(actor_name)s stored %(customers)s customers and %(purchases)s purchases; "
        "%(skipped)s customers were already in the book."
    ),
    "import.canceled": _(
        "%(actor_name)s canceled the import; the file was destroyed and %(removed)s customers removed."
    ),
}
