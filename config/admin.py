"""The admin site: the agency's view of every room, behind the platform's own sign-in."""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any, TypeVar, cast

from allauth.account import views as signin
from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import BadRequest, PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.selectors import is_agency
from accounts.stepup import fresh_factor_required

ROOMS = ["accounts", "handover", "customers", "compliance", "incidents", "jobs", "ledger", "vault"]
V = TypeVar("V", bound=Callable[..., HttpResponseBase])


class PlatformAdmin(admin.AdminSite):
    """Only staff who are superusers or work for the agency get in.

    What they may do there: superusers what a room's admin offers; other agency staff what
    `accounts.backends.AgencyStaffBackend` grants."""

    site_title = site_header = _("Administration")
    index_title = _("Administration")
    enable_nav_sidebar = False

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> Any:
        """The rooms in the order of the way of the data, what others brought last."""
        places = {room: place for place, room in enumerate(ROOMS)}
        return sorted(
            super().get_app_list(request, app_label), key=lambda app: places.get(app["app_label"], len(places))
        )

    def has_permission(self, request: HttpRequest) -> bool:
        user = request.user
        return super().has_permission(request) and isinstance(user, User) and (user.is_superuser or is_agency(user))

    def admin_view(self, view: V, cacheable: bool = False) -> V:
        """Whoever writes here, or looks at keys, shows a fresh second factor first. A NUL byte or an id that is none,
        as only forged requests hold them, is not taken for a fault of ours."""
        shown = super().admin_view(view, cacheable)
        asked = fresh_factor_required(shown)

        def gated(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if any("\x00" in value for _name, values in request.GET.lists() for value in values):
                raise BadRequest
            page = asked if self.has_permission(request) and _is_guarded(request) else shown
            try:
                return page(request, *args, **kwargs)
            except ValidationError as error:
                raise BadRequest from error

        return cast(V, update_wrapper(gated, shown))

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """No second sign-in page: its attempts would escape the limits of the first."""
        if self.has_permission(request):
            return redirect("admin:index")
        if request.user.is_authenticated:
            raise PermissionDenied
        return redirect_to_login(request.GET.get("next") or reverse("admin:index"))

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The way out is everybody's: it stands in the ledger."""
        return signin.logout(request)

    def password_change(  # type: ignore[override]  # the stub knows only the stock page
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """One's own password is changed where everybody changes it."""
        return redirect("account_change_password")


def _is_guarded(request: HttpRequest) -> bool:
    """Every write, the forms that lead to one, and the pages of keys."""
    name = request.resolver_match.url_name or "" if request.resolver_match else ""
    forms = name.endswith(("_add", "_delete")) or (name.startswith("accounts_") and name.endswith("_change"))
    return request.method == "POST" or forms or name.startswith("vault_")
