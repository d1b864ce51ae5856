"""Taking a course's questions, and reminding people before a passed course expires."""

from collections.abc import Mapping
from dataclasses import dataclass
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

from accounts.courses import Course, course_of, courses
from accounts.errors import AccountsError
from accounts.models import Completion, Membership, User
from accounts.periods import months_after
from accounts.selectors import organizations_of
from accounts.services.assigning import finish_assignments
from accounts.services.reminders import due_step
from ledger.services import record

# Days before the expiry on which a reminder is sent, once each.
REMINDERS = (30, 7, 1)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Marked:
    """What a try came to: the numbers (from 1) of the questions answered wrong, and the completion if it passed."""

    wrong: list[int]
    completion: Completion | None


@transaction.atomic
def take_quiz(*, actor: User, course: Course, answers: Mapping[int, int], now: datetime) -> Marked:
    """Mark one try. `answers`: the chosen answer by question, both from 0. Every try stands in the ledger, with the
    numbers of the wrong questions and never with the right answers.

    Raises AccountsError when a question has no answer, or one that does not exist: that is no try."""
    questions = course.questions
    if any(answers.get(place) not in range(len(one.answers)) for place, one in enumerate(questions)):
        raise AccountsError(_("Answer every question, then hand in."))
    wrong = [place + 1 for place, one in enumerate(questions) if answers[place] != one.right]
    passed = len(questions) - len(wrong) >= course.needed
    completion = _complete(actor, course, len(wrong), now) if passed else None
    if completion:
        finish_assignments(person=actor, course=course.code, now=now)
    facts = {"course": course.code, "version": course.version, "right": len(questions) - len(wrong)}
    facts |= {"questions": len(questions), "wrong": wrong}
    if completion:
        facts["expires_on"] = completion.expires_on
    verb = "course.passed" if completion else "course.failed"
    record(actor, verb, "person", actor.pk, organizations_of(actor), now, **facts)
    return Marked(wrong, completion)


def _complete(actor: User, course: Course, wrong: int, now: datetime) -> Completion:
    return Completion.objects.create(
        user=actor,
        course=course.code,
        version=course.version,
        right=len(course.questions) - wrong,
        questions=len(course.questions),
        passed_at=now,
        expires_on=months_after(timezone.localdate(now), course.months),
    )


def remind(*, now: datetime) -> int:
    """Mail everybody whose passed course expires within 30, 7 or 1 days, once for each; returns how many mails went.

    Each in a transaction of its own with its mail: what could not be sent is tried again in the next night."""
    today = timezone.localdate(now)
    return sum(_remind(one.pk, today, now) for one in _expiring(today))


def _expiring(today: date) -> list[Completion]:
    """The latest completions of people who still work somewhere that come to their end."""
    later = Completion.objects.filter(
        user=OuterRef("user"), course=OuterRef("course"), expires_on__gt=OuterRef("expires_on")
    )
    works = Membership.objects.filter(user=OuterRef("user"))
    found = Completion.objects.filter(
        ~Exists(later),
        Exists(works),
        user__is_active=True,
        course__in=list(courses()),
        expires_on__gt=today,
        expires_on__lte=date.fromordinal(today.toordinal() + REMINDERS[0]),
    )
    return list(found.order_by("expires_on", "pk"))


def _remind(completion_id: UUID, today: date, now: datetime) -> bool:
    try:
        with transaction.atomic():
            return _reminded(completion_id, today, now)
    except OSError:  # SMTP errors are among them
        _log.exception("reminder_not_sent", completion=str(completion_id))
        return False


def _reminded(completion_id: UUID, today: date, now: datetime) -> bool:
    locked = Completion.objects.select_for_update(of=("self",)).select_related("user").get(pk=completion_id)
    step = due_step(REMINDERS, locked.expires_on, today, locked.reminded)
    if step is None:
        return False
    locked.reminded, left = step, (locked.expires_on - today).days
    locked.save(update_fields=["reminded"])
    facts = {"name": locked.user.name, "course": locked.course, "days": left}
    record(None, "course.reminded", "person", locked.user_id, organizations_of(locked.user), now, **facts)
    _mail(locked, left)
    return True


def _mail(completion: Completion, left: int) -> None:
    """In both languages: nobody told us which of them the person reads."""
    course = course_of(completion.course)
    context = {"person": completion.user, "expires_on": completion.expires_on, "days": left}
    subjects, bodies = [], []
    for code, language in (("zh-hans", "zh"), ("en", "en")):
        with override(code):
            words = {**context, "course": course.title[language]}
            subjects.append(_("“%(course)s” expires soon: take the course again") % {"course": course.title[language]})
            bodies.append(render_to_string("accounts/reminder.txt", words).strip())
    # Without a translation both languages read the same.
    subject, body = " / ".join(dict.fromkeys(subjects)), "\n\n".join(dict.fromkeys(bodies))
    send_mail(subject, body + "\n", settings.DEFAULT_FROM_EMAIL, [completion.user.email])
