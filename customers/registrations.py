"""What this room declares to the rooms below: kinds of jobs and sentences of the ledger."""

from customers.tasks import CheckHandler, StoreHandler
from customers.vocabulary import IMPORTS
from jobs.registry import register
from ledger import vocabulary

register("customers.check", CheckHandler())
register("customers.store", StoreHandler())
vocabulary.register(IMPORTS)
