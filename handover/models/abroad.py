"""How many persons left a jurisdiction with an execution, and a mechanism that was renewed for them."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

from accounts.models import User
from handover.models.execution import Execution
from handover.models.handover import Handover
from handover.models.plan import TransferPlan


class SentAbroad(models.Model):
    """Counted when an execution is proven, because the books may be destroyed later. It counts while the execution is
    not undone. `jurisdiction`: which they left; `sensitive`: of how many of them the plan says so."""

    execution = models.ForeignKey(Execution, on_delete=models.CASCADE, related_name="sent_abroad")
    jurisdiction = models.CharField(max_length=8)
    persons = models.PositiveIntegerField()
    sensitive = models.PositiveIntegerField(default=0)
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("persons sent abroad")
        verbose_name_plural = _("persons sent abroad")
        constraints = [models.UniqueConstraint(fields=["execution", "jurisdiction"], name="handover_sent_abroad_once")]

    def __str__(self) -> str:
        return f"{self.execution}, {self.jurisdiction}"


class Renewal(models.Model):
    """Another mechanism for persons who leave than the agreed plan names, because that one expired. It counts once a
    lead of each side has said yes to its `digest`; the newest such takes the place of the plan's."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    handover = models.ForeignKey(Handover, on_delete=models.PROTECT, related_name="renewals")
    mechanism = models.CharField(_("Mechanism"), max_length=13, choices=TransferPlan.Mechanism)
    reference = models.CharField(_("Its number or document"), max_length=200)
    valid_from = models.DateField(_("Valid from"), null=True)
    valid_until = models.DateField(_("Valid until"), null=True)
    digest = models.BinaryField()
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    seller_lead = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    seller_at = models.DateTimeField(null=True)
    buyer_lead = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    buyer_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("renewed mechanism")
        verbose_name_plural = _("renewed mechanisms")

    def __str__(self) -> str:
        return f"{self.handover}, {self.reference}"
