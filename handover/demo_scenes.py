"""Scenes of the demo beyond its main job: a negotiation with questions, and what follows the certificate.

Only terminal commands and tests use it.
"""

from django.utils import timezone

from customers.transforms import Transform
from handover import demo
from handover.demo import Demo
from handover.fields import SCOPE_FIELDS
from handover.models import Execution, OnboardingTask
from handover.segmenting import Segment
from handover.services import closing, disposing, onboarding, questions, scope
from handover.workflow import Side, StepKind

_CHANGED = {"basic.phone": Transform.MASK, "basic.address": Transform.GENERALIZE}


def negotiate(run: Demo) -> None:
    """Gate 2: the buyer proposes, both sides ask, the seller counters with transforms and a choice of customers. One
    question is answered and settled, one waits for the buyer."""
    cast = run.cast
    demo.propose_scope(run)
    step = run.step(StepKind.SCOPE)
    asked = questions.ask(
        actor=cast.seller_clerk,
        step=step,
        field="basic.phone",
        text="Do you call customers, or is the number only printed on the delivery note?",
        now=timezone.now(),
    )
    answer = "Only printed on the note. The last four digits are enough for the driver."
    questions.reply(actor=cast.buyer_clerk, question=asked, text=answer, now=timezone.now())
    questions.resolve(actor=cast.seller_clerk, question=asked, now=timezone.now())
    questions.ask(
        actor=cast.seller_clerk,
        step=step,
        field="habits.frequency",
        text="Customers without a standing order have none. Do you need them at all?",
        now=timezone.now(),
    )
    _counter(run)


def _counter(run: Demo) -> None:
    crossings = []
    for field in SCOPE_FIELDS:
        default = Transform.DROP if field.key in demo.STAYS else Transform.AS_IS
        transform = _CHANGED.get(field.key, default)
        reason = "" if transform == Transform.DROP else "Needed for the purpose."
        crossings.append(scope.Crossing(field.category, field.name, transform, reason))
    scope.propose(
        actor=run.cast.seller_clerk,
        step=run.step(StepKind.SCOPE),
        side=Side.SELLER,
        crossings=crossings,
        note="The driver needs four digits, and the route only needs the city.",
        answers=1,
        now=timezone.now(),
        segment=Segment(purchases=2),
    )


def certify(run: Demo) -> None:
    """Gates 4 to 6 of a handover whose plan has passed, up to the certificate, which both sides sign."""
    demo.approve_backup(run)
    demo.approve_content(run)
    execution = demo.start_execution(run)
    demo.run_job(execution.transfer_job)
    demo.run_job(Execution.objects.select_related("verify_job").get(pk=execution.pk).verify_job)
    demo.pass_audit(run)
    demo.countersign(run)


def close(run: Demo) -> None:
    """After the certificate: the seller's copy is destroyed, the buyer's tasks are done, the handover is closed."""
    cast, handover = run.cast, run.handover
    handover.refresh_from_db()
    disposition = disposing.begin(actor=cast.seller_lead, handover=handover, now=timezone.now())
    demo.run_job(disposition.job)
    for task in OnboardingTask.objects.filter(handover=handover, done_at=None):
        note = "Done; the evidence is in the file of this purchase."
        onboarding.finish(actor=cast.buyer_lead, task=task, note=note, now=timezone.now())
    closing.close_if_done(handover=handover, now=timezone.now())
