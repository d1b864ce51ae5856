"""Courses that people are to pass by a day: assigned by a room above, done by passing, and reminded of by mail."""

from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID

import structlog
from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts import training
from accounts.clearance import counts_until
from accounts.courses import course_of
from accounts.models import Assignment, Membership, User
from accounts.selectors import completions_of, organizations_of
from accounts.services.reminders import due_step
from ledger.services import record

# Days before the day on which a reminder is sent, once each; the last one when the day has passed.
STEPS = (7, 1, -1)
_log = structlog.get_logger(__name__)


@transaction.atomic
def assign_course(
    *,
    actor: User | None,
    course: str,
    people: Iterable[User],
    subject: UUID,
    reference: str,
    due_on: date,
    now: datetime,
) -> list[Assignment]:
    """Have each of these people pass a course by a day; whose completion counts beyond that day has done so. A second
    time for the same subject it changes nothing. The caller knows that `actor` may."""
    found = list(people)
    known = set(Assignment.objects.filter(subject=subject, course=course).values_list("user", flat=True))
    completions = completions_of(found)
    made = []
    for person in found:
        if person.pk in known:
            continue
        completion = completions[person.pk].get(course)
        until = counts_until(completion, course_of(course))
        counts = completion is not None and until is not None and timezone.localdate(until) > due_on
        facts = {"course": course, "subject": subject, "reference": reference, "assigned_at": now, "due_on": due_on}
        made.append(Assignment(user=person, done_at=now if counts else None, **facts))
        said = {"name": person.name, "course": course, "reference": reference, "due_on": due_on}
        record(actor, "course.assigned", "person", person.pk, organizations_of(person), now, **said)
    return Assignment.objects.bulk_create(made)


def finish_assignments(*, person: User, course: str, now: datetime) -> None:
    """A person has passed a course: what they were assigned is done. In the transaction of the completion."""
    waiting = Assignment.objects.select_for_update(of=("self",)).filter(user=person, course=course, done_at=None)
    for one in waiting.order_by("pk"):
        one.done_at = now
        one.save(update_fields=["done_at"])
        training.tell(one, now)


def drop_of_people_who_left(*, subject: UUID, organization: UUID) -> int:
    """What people who no longer work at the organization have not done is asked of nobody. Returns how many."""
    works = Membership.objects.filter(user=OuterRef("user"), organization=organization, user__is_active=True)
    gone, _by_table = Assignment.objects.filter(~Exists(works), subject=subject, done_at=None).delete()
    return gone


def remind_assigned(*, now: datetime) -> int:
    """Mail everybody who has not passed an assigned course, a week and a day before its day and once after it. Returns
    how many mails went. Each in a transaction of its own with its mail, so that a lost one is sent the next night."""
    today = timezone.localdate(now)
    latest = date.fromordinal(today.toordinal() + STEPS[0])
    waiting = Assignment.objects.filter(done_at=None, due_on__lte=latest, user__is_active=True)
    works = Membership.objects.filter(user=OuterRef("user"))
    ids = waiting.filter(Exists(works)).order_by("due_on", "pk").values_list("pk", flat=True)
    return sum(_remind(assignment, today, now) for assignment in list(ids))


def _remind(assignment_id: UUID, today: date, now: datetime) -> bool:
    try:
        with transaction.atomic():
            return _reminded(assignment_id, today, now)
    except OSError:  # SMTP errors are among them
        _log.exception("assigned_course_not_reminded", assignment=str(assignment_id))
        return False


def _reminded(assignment_id: UUID, today: date, now: datetime) -> bool:
    locked = Assignment.objects.select_for_update(of=("self",)).select_related("user").get(pk=assignment_id)
    step = due_step(STEPS, locked.due_on, today, locked.reminded)
    if step is None or locked.done_at:
        return False
    locked.reminded = step
    locked.save(update_fields=["reminded"])
    facts = {"name": locked.user.name, "course": locked.course, "due_on": locked.due_on}
    record(None, "course.assigned_reminded", "person", locked.user_id, organizations_of(locked.user), now, **facts)
    _mail(locked, late=locked.due_on < today)
    return True


def _mail(assignment: Assignment, *, late: bool) -> None:
    """In both languages: nobody told us which of them the person reads."""
    course = course_of(assignment.course)
    context = {"person": assignment.user, "one": assignment, "late": late}
    subjects, bodies = [], []
    for code, language in (("zh-hans", "zh"), ("en", "en")):
        with override(code):
            words = {"course": course.title[language]}
            subjects.append(
                _("“%(course)s” is overdue: take the course") % words
                if late
                else _("“%(course)s” is due soon: take the course") % words
            )
            bodies.append(render_to_string("accounts/assigned.txt", context | words).strip())
    # Without a translation both languages read the same.
    subject, body = " / ".join(dict.fromkeys(subjects)), "\n\n".join(dict.fromkeys(bodies))
    send_mail(subject, body + "\n", settings.DEFAULT_FROM_EMAIL, [assignment.user.email])
