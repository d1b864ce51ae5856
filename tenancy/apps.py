from typing import Any

from django.apps import AppConfig
from django.core.checks import Error, register

from tenancy import applying


def every_table_is_declared(**_options: Any) -> list[Error]:
    """A model without a line in `tenancy/policies.py`: the application could not read its table."""
    hint = (
        "Add a line to TABLES: Guarded with the SQL of who may touch a row if the rows belong to organizations, else"
        ' Open with the reason. See "A new model" in docs/access.md.'
    )
    return [
        Error(f"{label} has no line in tenancy/policies.py.", hint=hint, id="tenancy.E001")
        for label in applying.undeclared()
    ]


class TenancyConfig(AppConfig):
    name = "tenancy"

    def ready(self) -> None:
        register(every_table_is_declared)
