"""The processes of the product: what they are, and how they are started, watched and stopped in order."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from embedded import Problem
from embedded.environment import ROOT, say
from embedded.postgres import tail

WEB = ["granian", "--interface", "wsgi", "--workers", "2", "--blocking-threads", "4"]
WORKER = ["celery", "-A", "config", "worker", "--concurrency", "2", "--without-gossip", "--without-mingle"]
# Without a pid file: who starts it sees to it that it runs once.
BEAT = ["celery", "-A", "config", "beat", "--pidfile="]
LOG_LIMIT = 5 * 1024 * 1024  # bytes; a longer log is put aside at the next start
PATIENCE = 15.0  # seconds that a process gets to end what it does; a killed chunk is done again later


def web(host: str, port: int) -> list[str]:
    return [*WEB, "--host", host, "--port", str(port), "config.wsgi:application"]


@dataclass
class Child:
    """One process that runs in the background, with its log. `farewell`: the signals that end it, gentlest first."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    farewell: tuple[signal.Signals, ...]

    def ended(self) -> int | None:
        return self.process.poll()

    def stop(self) -> None:
        """Ends the process and all it has started. Its place in the process table is free when this returns."""
        for how in (*self.farewell, signal.SIGKILL):
            if self.ended() is not None:
                break
            self.process.send_signal(how)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(PATIENCE)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


def start(name: str, command: list[str], env: dict[str, str], log: Path, *farewell: signal.Signals) -> Child:
    """Starts `command` in the background in a session of its own: Ctrl-C in the terminal reaches only the parent."""
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        log.replace(log.with_suffix(".log.1"))
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            env=env,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_die_with_parent(),  # noqa: PLW1509 - these commands have no threads
        )
    return Child(name, process, log, farewell or (signal.SIGTERM,))


def watch(children: list[Child], asked_to_stop: Callable[[], bool], seconds: float | None = None) -> None:
    """Returns when `asked_to_stop` says so or `seconds` are over. Raises `Problem` when a child ends by itself."""
    deadline = None if seconds is None else time.monotonic() + seconds
    while not asked_to_stop() and (deadline is None or time.monotonic() < deadline):
        for child in children:
            code = child.ended()
            if code is not None and not asked_to_stop():
                raise Problem(
                    f"The {child.name} ended by itself ({_ending(code)}). The end of {child.log}:\n{tail(child.log)}"
                )
        time.sleep(0.1)


def foreground(command: list[str], env: dict[str, str], cwd: Path | None = None) -> int:
    """Runs `command` with this terminal and returns its exit code (128 + signal when one ended it)."""
    process = subprocess.Popen(command, env=env, cwd=cwd)
    with _signals({signal.SIGINT: lambda: None, signal.SIGTERM: process.terminate}):
        # Ctrl-C reaches the child by itself: here it only must not interrupt the waiting.
        code = process.wait()
    return code if code >= 0 else 128 - code


@contextlib.contextmanager
def stop_requests() -> Iterator[Callable[[], bool]]:
    """Inside the block SIGINT and SIGTERM are not errors: the yielded function says whether one came."""
    asked: list[int] = []
    with _signals({one: lambda: asked.append(1) for one in (signal.SIGINT, signal.SIGTERM)}):
        yield lambda: bool(asked)


def run(main: Callable[[], int]) -> None:
    """Ends the script with what `main` returns; a `Problem` is told in words, without a traceback."""
    signal.signal(signal.SIGTERM, _leave)  # so that `with` blocks are left in order
    try:
        code = main()
    except Problem as problem:
        say(f"\n{problem}")
        code = 1
    except KeyboardInterrupt:
        say("Interrupted.")
        code = 130
    sys.exit(code)


def _leave(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


@contextlib.contextmanager
def _signals(handlers: dict[signal.Signals, Callable[[], object]]) -> Iterator[None]:
    before = {one: signal.signal(one, lambda _n, _f, act=act: act()) for one, act in handlers.items()}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _die_with_parent() -> Callable[[], None] | None:
    """On Linux: the child is asked to stop when this process is killed, so that none is left behind."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    parent_death_signal = 1  # PR_SET_PDEATHSIG, prctl(2)
    return lambda: libc.prctl(parent_death_signal, signal.SIGTERM)


def _ending(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"killed by {signal.Signals(-code).name}"
