"""What belongs into the tables before anybody works: the rooms above say how it gets there, `migrate` sees to it."""

from collections.abc import Callable

_loaders: list[Callable[[], object]] = []


def register(loader: Callable[[], object]) -> None:
    """Have `loader` called after every migration of all rooms, as the owner of the tables. It runs often: what is there
    already it leaves."""
    _loaders.append(loader)


def load() -> None:
    """Call every loader."""
    for loader in _loaders:
        loader()
