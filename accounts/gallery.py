"""Specimens for the gallery of components."""

import hashlib
from datetime import timedelta

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest
from django.utils import timezone

from accounts.wording import due_label


class SpecimenForm(forms.Form):
    """One field of each kind."""

    name = forms.CharField(label="Name of the book", help_text="Both sides read it.", initial="Jinghe household")
    reason = forms.CharField(label="Reason", widget=forms.Textarea, required=False)
    kind = forms.ChoiceField(label="Character set", choices=[("u", "UTF-8"), ("g", "GB18030")])
    answer = forms.ChoiceField(
        label="What shall cross?",
        choices=[("all", "As it is"), ("tail", "Last four digits"), ("none", "Nothing, it stays")],
        widget=forms.RadioSelect,
        initial="tail",
    )
    plain = forms.ChoiceField(
        label="Format", choices=[("p", "Inside the platform"), ("c", "CSV")], widget=forms.RadioSelect
    )
    fields_ = forms.MultipleChoiceField(
        label="Categories",
        choices=[("b", "Basic information"), ("p", "Purchases"), ("h", "Habits")],
        widget=forms.CheckboxSelectMultiple,
    )
    agreed = forms.BooleanField(label="I have compared both counts", help_text="Your name goes into the ledger.")
    file = forms.FileField(label="File of customers", help_text="CSV or XLSX, at most 200 MB.")
    day = forms.DateField(label="To be completed by", widget=forms.DateInput)
    count = forms.IntegerField(label="Customers in a chunk", initial=500)


def specimens(request: HttpRequest) -> dict[str, object]:
    """The context of the gallery: `?bad` shows the form with its errors."""
    now = timezone.now()
    bad = SpecimenForm({"name": "", "day": "tomorrow", "count": "many"})
    dues = [now + timedelta(days=n) for n in (-2, 0.01, 1.2, 14)]
    return {
        "form": bad if "bad" in request.GET else SpecimenForm(initial={"day": now}),
        "levels": ["success", "info", "warning", "error"],
        "root": hashlib.sha256(b"handover").hexdigest(),
        "page": Paginator(range(240), 50).page(2),
        "dues": [due_label(due, now) for due in dues],
        "hints": {"all": "All 1,204 customers, 11 digits", "tail": "Enough to match, not to call"},
    }
