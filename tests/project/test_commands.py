"""The commands in bin/ as a person runs them: start and stop, data that stays, servers that are given."""

import hashlib
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOT_PASSED_ON = {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DEBUG", "DEMO", "ROOT_KEY_FILE", "VAR_DIR"}
PATIENCE = 120.0  # seconds on a busy machine


def environment(var: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in NOT_PASSED_ON}
    return kept | {"VAR_DIR": str(var)} | more


def free_port() -> int:
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def status(port: int, path: str) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


@contextmanager
def started(var: Path, port: int, *options: str) -> Iterator[subprocess.Popen[str]]:
    """`bin/start` once it has printed its address; ended by Ctrl-C."""
    command = ["bin/start", "--port", str(port), *options]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment(var), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        said: list[str] = []
        for line in process.stdout or ():
            said.append(line)
            if "Ctrl-C stops it" in line:
                break
        else:
            pytest.fail("".join(said))
        try:
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(PATIENCE) == 0


def left_over(var: Path) -> list[str]:
    """The command lines of processes that still work below `var`."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if any(str(place) in line for place in (var, *aside(var))):
            found.append(line)
    return found


@pytest.fixture
def var(tmp_path: Path) -> Iterator[Path]:
    """A folder that only its owner may enter, as in a home folder: for root, its data must lie elsewhere."""
    yield tmp_path / "var"
    for place in aside(tmp_path / "var"):
        shutil.rmtree(place, ignore_errors=True)


def aside(var: Path) -> list[Path]:
    name = hashlib.sha256(str(var).encode()).hexdigest()[:16]
    return [place for place in [Path("/var/tmp") / f"handover-{name}"] if place.exists()]


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks at processes by /proc")
def test_start_runs_everything_stops_everything_and_keeps_the_data(var: Path) -> None:
    port = free_port()
    with started(var, port, "--no-demo"):
        assert status(port, "/healthz") == 200
        assert status(port, "/accounts/login/") == 200
        assert status(port, "/demo/") == 404
        second = subprocess.run(
            ["bin/start", "--port", str(free_port())],
            cwd=ROOT,
            env=environment(var),
            capture_output=True,
            text=True,
            check=False,
        )
        assert second.returncode != 0 and "runs already" in second.stderr
        made = manage(var, "shell", "-c", CREATE)
        assert made.returncode == 0, made.stderr
    deadline = time.monotonic() + PATIENCE
    while left_over(var) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left_over(var) == []
    kept = manage(var, "shell", "-c", COUNT)
    assert kept.stdout.strip().endswith("kept: 1"), kept.stdout + kept.stderr
    assert left_over(var) == []
    assert (var / "root.key").exists() is False  # nothing was sealed yet


CREATE = "from accounts.models import User; User.objects.create_user('kept@handover.example', name='Kept')"
COUNT = "from accounts.models import User; print('kept:', User.objects.filter(email='kept@handover.example').count())"


def manage(var: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    command = ["bin/manage", *arguments]
    env = environment(var, **more)
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


def test_a_port_in_use_is_named(var: Path) -> None:
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        command = ["bin/start", "--port", str(port)]
        done = subprocess.run(command, cwd=ROOT, env=environment(var), capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert f"Port {port} is in use" in done.stderr


def test_given_servers_are_used_and_none_is_started(var: Path) -> None:
    given = {name: os.environ[name] for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY")}
    question = "from django.conf import settings; from django.db import connection; connection.ensure_connection();"
    question += " print(settings.DATABASES['default']['PORT'], settings.REDIS_URL)"
    done = manage(var, "shell", "-c", question, **given)
    assert done.returncode == 0, done.stderr
    port = given["DATABASE_URL"].rpartition(":")[2].partition("/")[0]
    assert done.stdout.split()[-2:] == [port, given["REDIS_URL"]]
    assert not (var / "postgres").exists() and not (var / "valkey").exists()


def test_what_manage_returns_is_returned(var: Path) -> None:
    given = {name: os.environ[name] for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY")}
    done = manage(var, "no_such_command", **given)
    assert done.returncode == 1 and "no_such_command" in done.stderr
