import django.db.models.deletion
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models

TRANSFORMS = [
    ("as_is", "Crosses as it is"),
    ("mask", "Crosses masked"),
    ("pseudonymize", "Crosses as a pseudonym"),
    ("generalize", "Crosses generalized"),
    ("drop", "Stays"),
]
SIDES = [("seller", "Seller"), ("buyer", "Buyer"), ("reviewer", "Reviewer")]


class Migration(migrations.Migration):
    dependencies = [
        ("handover", "0006_law"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField("execution", "segment", models.JSONField(default=dict)),
        migrations.AddField("execution", "transforms", models.JSONField(default=dict)),
        migrations.AddField("scopeproposal", "segment", models.JSONField(default=dict)),
        migrations.AddField("notice", "outside", models.PositiveIntegerField(default=0)),
        # A field that crossed, crossed as it is.
        migrations.AddField(
            "scopeitem",
            "transform",
            models.CharField(choices=TRANSFORMS, default="as_is", max_length=12),
            preserve_default=False,
        ),
        migrations.RunSQL(
            "UPDATE handover_scopeitem SET transform = 'drop' WHERE NOT crosses",
            "UPDATE handover_scopeitem SET crosses = (transform <> 'drop')",
        ),
        migrations.RemoveField("scopeitem", "crosses"),
        migrations.CreateModel(
            name="ScopeQuestion",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("field", models.CharField(blank=True, max_length=40)),
                ("side", models.CharField(choices=SIDES, max_length=10)),
                ("answers", models.CharField(choices=SIDES, max_length=10)),
                ("resolved_at", models.DateTimeField(null=True)),
                (
                    "handover",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="scope_questions",
                        to="handover.handover",
                    ),
                ),
                (
                    "proposal",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="handover.scopeproposal",
                    ),
                ),
                (
                    "resolved_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={"verbose_name": "question about a scope", "verbose_name_plural": "questions about scopes"},
        ),
        migrations.CreateModel(
            name="ScopeMessage",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("side", models.CharField(choices=SIDES, max_length=10)),
                ("text", models.TextField()),
                ("at", models.DateTimeField()),
                (
                    "author",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "question",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="messages",
                        to="handover.scopequestion",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ScopeReading",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                (
                    "handover",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="handover.handover"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("handover", "user"), name="handover_scope_reading")]
            },
        ),
    ]
