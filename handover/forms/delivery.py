"""Forms about the package: why it is taken, and where it is sent."""

from django import forms
from django.utils.translation import gettext_lazy

from handover.services.targets import BucketTerms, ServerTerms, problems_of
from handover.services.tickets import PURPOSE_CHARACTERS

_EXACT = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}
_MONO = {**_EXACT, "class": "mono"}


class TicketForm(forms.Form):
    """Why the package is taken."""

    purpose = forms.CharField(
        label=gettext_lazy("Purpose"),
        max_length=PURPOSE_CHARACTERS,
        help_text=gettext_lazy("Goes into the ledger with your name; all three sides read it."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "list": "purposes"}),
        error_messages={"required": gettext_lazy("State the purpose: without one nothing is downloaded.")},
    )


class _PlaceForm(forms.Form):
    folder = forms.CharField(
        label=gettext_lazy("Folder"),
        max_length=300,
        required=False,
        help_text=gettext_lazy("Where the file is put, for example incoming/handover. Empty: where the user arrives."),
        widget=forms.TextInput(attrs=_EXACT),
    )

    def clean(self) -> None:
        if not self.errors:
            for name, problem in problems_of(self.terms).items():
                self.add_error(name, problem)

    @property
    def terms(self) -> ServerTerms | BucketTerms:
        """What was filled in, after validation."""
        raise NotImplementedError


class ServerForm(_PlaceForm):
    """A folder on a server."""

    host = forms.CharField(
        label=gettext_lazy("Server"),
        max_length=253,
        help_text=gettext_lazy("Its name or public address, for example sftp.example.com."),
        widget=forms.TextInput(attrs=_EXACT),
        error_messages={"required": gettext_lazy("Enter the name or the address of the server.")},
    )
    port = forms.IntegerField(
        label=gettext_lazy("Port"),
        min_value=1,
        max_value=65535,
        initial=22,
        widget=forms.NumberInput(attrs={"class": "input--short"}),
        error_messages={"required": gettext_lazy("Enter the port; mostly it is 22.")},
    )
    username = forms.CharField(
        label=gettext_lazy("User"),
        max_length=100,
        help_text=gettext_lazy("Best one of its own that may write to this folder and nowhere else."),
        widget=forms.TextInput(attrs=_EXACT),
        error_messages={"required": gettext_lazy("Enter the user's name on the server.")},
    )
    host_key = forms.CharField(
        label=gettext_lazy("The server's public host key"),
        max_length=2000,
        help_text=gettext_lazy(
            "One line of the server's /etc/ssh/ssh_host_ed25519_key.pub. The platform sends to no other machine."
        ),
        widget=forms.Textarea(attrs={**_MONO, "rows": 3}),
        error_messages={"required": gettext_lazy("Paste the server's public host key: without it anybody could pose.")},
    )
    new_key = forms.BooleanField(
        label=gettext_lazy("Make a new key of the platform for this place"),
        required=False,
        help_text=gettext_lazy("The old one opens nothing any more; put the new one into authorized_keys."),
    )
    field_order = ("host", "port", "username", "folder", "host_key", "new_key")

    @property
    def terms(self) -> ServerTerms:
        return ServerTerms(**self.cleaned_data)


class BucketForm(_PlaceForm):
    """A bucket."""

    endpoint = forms.CharField(
        label=gettext_lazy("Address of the storage"),
        max_length=300,
        help_text=gettext_lazy(
            "For example https://s3.eu-central-1.amazonaws.com or https://oss-cn-hangzhou.aliyuncs.com."
        ),
        widget=forms.URLInput(attrs=_EXACT),
        error_messages={"required": gettext_lazy("Enter the address of the storage.")},
    )
    region = forms.CharField(
        label=gettext_lazy("Region"),
        max_length=60,
        required=False,
        help_text=gettext_lazy("As the provider names it, for example eu-central-1."),
        widget=forms.TextInput(attrs=_EXACT),
    )
    bucket = forms.CharField(
        label=gettext_lazy("Bucket"),
        max_length=63,
        widget=forms.TextInput(attrs=_EXACT),
        error_messages={"required": gettext_lazy("Enter the name of the bucket.")},
    )
    access_key = forms.CharField(
        label=gettext_lazy("Access key"),
        max_length=200,
        help_text=gettext_lazy("Best one that may write, read, list and delete in this folder and do nothing else."),
        widget=forms.TextInput(attrs=_MONO),
        error_messages={"required": gettext_lazy("Enter the access key of the bucket.")},
    )
    secret_key = forms.CharField(
        label=gettext_lazy("Secret key"),
        max_length=300,
        required=False,
        help_text=gettext_lazy("Sealed and never shown again. Empty: the one stated before stays."),
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
    by_path = forms.BooleanField(
        label=gettext_lazy("The bucket stands in the path, not in the name of the machine"),
        required=False,
        help_text=gettext_lazy("For storage of one's own, such as MinIO."),
    )
    field_order = ("endpoint", "region", "bucket", "folder", "by_path", "access_key", "secret_key")

    @property
    def terms(self) -> BucketTerms:
        return BucketTerms(**self.cleaned_data)
