from importlib import import_module

from django.apps import AppConfig


class CustomersConfig(AppConfig):
    name = "customers"

    def ready(self) -> None:
        # Models exist only now; an import at the top of this file would come too early.
        import_module("customers.registrations")
