"""Panels of the home page below "What waits for me". The rooms above register providers in `AppConfig.ready()`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from accounts.models import User


@dataclass(frozen=True)
class Panel:
    """A template that renders with its context as `panel`. A figure (chart) stands in "How things stand", three in
    a row; anything else brings its own section. Lower `order` comes first."""

    template: str
    context: Mapping[str, object] = field(default_factory=dict)
    order: int = 0
    figure: bool = False


Provider = Callable[[User, datetime], Sequence[Panel]]
_providers: list[Provider] = []


def register(provider: Provider) -> None:
    """Ask this provider too. No panel for a user who has nothing to see in it."""
    if provider not in _providers:
        _providers.append(provider)


def panels_for(user: User, now: datetime) -> list[Panel]:
    """All panels for a user in their order."""
    return sorted((panel for provider in _providers for panel in provider(user, now)), key=lambda panel: panel.order)
