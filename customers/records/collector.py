"""Python's cyclic garbage collector in bulk loops."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused() -> Iterator[None]:
    """A chunk makes hundreds of thousands of objects that live until its end and form no cycles: every collection
    walks all of them and frees none, which costs several times what making them does. Reference counting goes on."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        # Into the oldest generation unseen: otherwise the first new object would set off the walk saved above.
        frozen = gc.get_freeze_count()
        gc.freeze()
        if not frozen:
            gc.unfreeze()
        gc.enable()
