"""Where I am signed in, and how to end it there."""

from typing import cast

from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.browsers import browser_name
from accounts.models import User
from accounts.selectors import sessions_of
from accounts.signin_services import end_other_sessions, end_session


@require_safe
@login_required
def session_list(request: HttpRequest) -> HttpResponse:
    found = [(session, browser_name(session.user_agent)) for session in sessions_of(cast(User, request.user))]
    context = {"sessions": found, "here": request.session.session_key}
    return render(request, "accounts/sessions.html", context)


@require_POST
@login_required
def end(request: HttpRequest, session_id: int) -> HttpResponse:
    """Sign out there. The session that asks is ended by signing out."""
    user = cast(User, request.user)
    others = UserSession.objects.filter(user=user).exclude(session_key=request.session.session_key)
    end_session(actor=user, session=get_object_or_404(others, pk=session_id), now=timezone.now())
    messages.success(request, _("You are signed out there."))
    return redirect("sessions")


@require_POST
@login_required
def end_others(request: HttpRequest) -> HttpResponse:
    key = request.session.session_key or ""
    ended = end_other_sessions(actor=cast(User, request.user), keep=key, now=timezone.now())
    done = ngettext("%(count)d other session is ended.", "%(count)d other sessions are ended.", ended)
    messages.success(request, done % {"count": ended})
    return redirect("sessions")
