"""Services that a test calls act with the rights of their actor, as in a request; the test itself sees everything."""

import inspect
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import ObjectDoesNotExist

from accounts.binding import rights_of
from accounts.models import User
from tenancy import rights

ROOMS = ("customers", "compliance", "handover", "incidents", "jobs")


def bind_services() -> None:
    """For every function with an `actor` in the services of these rooms, wherever its name was imported to."""
    rooms = [module for name, module in list(sys.modules.items()) if name.partition(".")[0] in ROOMS]
    found = {
        function: _bound(function)
        for module in rooms
        for function in vars(module).values()
        if inspect.isfunction(function)
        and ".services" in function.__module__
        and function.__module__.partition(".")[0] in ROOMS
        and "actor" in inspect.signature(function).parameters
        and not function.__name__.startswith("_")
    }
    for module in rooms:
        for name, value in list(vars(module).items()):
            if inspect.isfunction(value) and value in found:
                setattr(module, name, found[value])


def _bound(service: Callable[..., Any]) -> Callable[..., Any]:
    signature = inspect.signature(service)

    @wraps(service)
    def acting(*args: Any, **named: Any) -> Any:
        actor = signature.bind(*args, **named).arguments.get("actor")
        if rights._bound.get() is not None or not isinstance(actor, User):
            return service(*args, **named)
        try:
            with rights.bound(rights_of(actor)):
                return service(*args, **named)
        except ObjectDoesNotExist as withheld:
            # A stranger, whom a page meets with 404. The service's own check has to hold them off too.
            service(*args, **named)
            raise AssertionError("The service does what the policies do not let its actor do.") from withheld

    return acting
