"""What the commands in bin/ share: the environment, the services and the processes. Standard library only:
this code runs before anything is installed."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036  the machine's python3 may be older than the project's
    raise SystemExit(f"Handover needs Python 3.11 or newer; {sys.executable} is {sys.version.split()[0]}.")


class Problem(Exception):  # noqa: N818
    """What stops a command, in a sentence that says what to do."""
