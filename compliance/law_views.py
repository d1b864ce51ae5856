"""The page of the law."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from compliance import law
from compliance.stages import Stage


@require_safe
@login_required
def law_page(request: HttpRequest) -> HttpResponse:
    """Every rule in force by jurisdiction, or those of one stage."""
    stage = request.GET.get("stage", "")
    stage = stage if stage in Stage.values else ""
    places = law.jurisdictions()
    codes = [one.code for one in places]
    found = law.obligations(kind="", places=codes, leaving=codes, stage=stage)
    groups = [(place, [one for one in found if one.jurisdiction == place.code]) for place in places]
    context = {
        "groups": [(place, rules) for place, rules in groups if rules],
        "bases": law.bases(),
        "stages": Stage.choices,
        "stage": stage,
        "as_of": law.law_as_of(),
    }
    return render(request, "compliance/law.html", context)
