from django.utils.formats import localize
from django.utils.translation import ngettext

from accounts.clearance import Clearance


class CustomersError(Exception):
    """A rule of the room was not met; the message is translated and says what to do."""


class NotCleared(CustomersError):  # noqa: N818 (says what the person is)
    """The person has not signed or passed what opens customer data: `clearance` says what is missing."""

    def __init__(self, clearance: Clearance) -> None:
        super().__init__(clearance.refusal)
        self.clearance = clearance


class ManyExpire(CustomersError):  # noqa: N818 (asks, rather than fails)
    """The rule would destroy the keys of `customers` customers with the next purge: it needs to be agreed to."""

    def __init__(self, customers: int) -> None:
        message = ngettext(
            "With this rule the keys of %(count)s customer are destroyed in the coming night. Confirm it.",
            "With this rule the keys of %(count)s customers are destroyed in the coming night. Confirm it.",
            customers,
        )
        super().__init__(message % {"count": localize(customers)})
        self.customers = customers
