from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from ledger import permissions, selectors, verification
from ledger.forms import LedgerFilter

PER_PAGE = 50


@login_required
@require_GET
def entry_list(request: HttpRequest) -> HttpResponse:
    everything = permissions.may_see_everything(request.user)
    visible = selectors.entries_visible_to(permissions.organizations_of(request.user), everything)
    form = LedgerFilter(request.GET)
    context = {
        "form": form,
        "page_obj": Paginator(form.narrow(visible), PER_PAGE).get_page(request.GET.get("page")),
        "checkpoint": selectors.latest_checkpoint(),
        "verification": verification.last_verification(),
        "may_export": everything,
    }
    return render(request, "ledger/list.html", context)
