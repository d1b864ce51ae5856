"""A handover carried to its certificate by the demo's own steps, for tests of what comes out at the end."""

import base64
from dataclasses import dataclass

import kept
from gates import agreed, carried

from accounts.demo import Cast
from handover import demo
from handover.certificate import SIGNING_KEY
from handover.demo import Demo
from handover.workflow import StepKind
from vault import signing

CUSTOMERS = 7


@dataclass(frozen=True)
class Issued:
    """What a buyer has in hand: the two files, and the platform's published key in base64."""

    document: str
    manifest: str
    key: str


def opened(cast: Cast, customers: int = CUSTOMERS, sensitive_notes: int = 0) -> Demo:
    book = demo.import_sample(cast, "Members of the shop", customers, sensitive_notes=sensitive_notes)
    return demo.open_demo(cast, book, "Household cleaning business")


def certified(cast: Cast, customers: int = CUSTOMERS, recipient_key: str = "") -> Demo:
    """By the services for the first test that asks, and copied for the others."""
    key = ("certified", customers, recipient_key)
    return kept.again(key, cast, lambda cast: _certified(cast, customers, recipient_key))


def _certified(cast: Cast, customers: int, recipient_key: str) -> Demo:
    run = opened(cast, customers)
    agreed(run, recipient_key=recipient_key)
    carried(run)
    return run


def in_hand(run: Demo) -> Issued:
    certificate = run.step(StepKind.AUDIT).handover.certificate
    key = base64.b64encode(signing.public_key(SIGNING_KEY)).decode()
    return Issued(certificate.document, certificate.manifest, key)
