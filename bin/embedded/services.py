"""The services that the product needs, shared by every command that runs at the same time.

Whoever comes first starts them, whoever leaves last stops them: each command holds a shared lock while it runs,
which the operating system takes back however the command ends.
"""

import contextlib
import fcntl
import hashlib
import os
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path

from embedded import Problem, ports, postgres, valkey
from embedded.environment import PYTHON, ROOT, VENV, alone, make_folder, say


def secret(var: Path, name: str) -> str:
    """A random word kept in a file of mode 0600 below `var`; made on first use."""
    path = make_folder(var / "secrets") / name
    with (
        contextlib.suppress(FileExistsError),
        os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file,
    ):
        file.write(secrets.token_urlsafe(48))
    return path.read_text()


@contextlib.contextmanager
def running(var: Path, *, durable: bool = True, outside: bool = True) -> Iterator[dict[str, str]]:
    """The services for the length of the block; yields the environment of the processes that use them.

    `outside`: DATABASE_URL and REDIS_URL, where set, name servers to use instead. `durable` off: for tests.
    Raises `Problem` if a service does not start.
    """
    env = _environment(var)
    if not outside:
        env.pop("DATABASE_URL", None)
        env.pop("DATABASE_OWNER_URL", None)
        env.pop("REDIS_URL", None)
    with contextlib.ExitStack() as stack:
        if not env.get("DATABASE_URL") or not env.get("REDIS_URL"):
            stack.enter_context(_shared(var, env, durable=durable))
        yield env


@contextlib.contextmanager
def _shared(var: Path, env: dict[str, str], *, durable: bool) -> Iterator[None]:
    lock = var / "run" / "services.lock"
    with (var / "run" / "services.users").open("a") as users:
        try:
            with alone(lock):
                fcntl.flock(users, fcntl.LOCK_SH)
                _start(var, env, durable=durable)
            yield
        finally:
            with alone(lock):
                _stop_if_last(var, users.fileno(), durable=durable)


def _start(var: Path, env: dict[str, str], *, durable: bool) -> None:
    if not env.get("DATABASE_URL"):
        database = _postgres(var, durable=durable)
        if not database.is_initialized():
            for stamp in (var / "run").glob("*.stamp"):  # what was done in the database that is gone
                stamp.unlink()
        port = database.start()
        place = f"{ports.HOST}:{port}/{postgres.DATABASE}"
        env["DATABASE_OWNER_URL"] = f"postgres://{postgres.USER}:{database.password}@{place}"
        # `manage.py migrate` makes this role where it is missing.
        env["DATABASE_URL"] = f"postgres://{postgres.APPLICATION}:{secret(var, 'application_password')}@{place}"
    if not env.get("REDIS_URL"):
        broker = _valkey(var, durable=durable)
        env["REDIS_URL"] = f"redis://:{broker.password}@{ports.HOST}:{broker.start()}/0"


def _stop_if_last(var: Path, users: int, *, durable: bool) -> None:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        fcntl.flock(users, fcntl.LOCK_UN)
        return
    _valkey(var, durable=durable).stop()
    _postgres(var, durable=durable).stop()


def _postgres(var: Path, *, durable: bool) -> postgres.Postgres:
    binaries, data = postgres.place(var)
    password = secret(var, "database_password")
    return postgres.Postgres(binaries, data, var / "log" / "postgres.log", password, durable)


def _valkey(var: Path, *, durable: bool) -> valkey.Valkey:
    password = secret(var, "broker_password")
    return valkey.Valkey(valkey.binary(), make_folder(var / "valkey"), var / "log" / "valkey.log", password, durable)


def _environment(var: Path) -> dict[str, str]:
    env = dict(os.environ)
    env.update(VAR_DIR=str(var), VIRTUAL_ENV=str(VENV), PATH=f"{VENV / 'bin'}{os.pathsep}{env.get('PATH', os.defpath)}")
    env.pop("PYTHONHOME", None)
    env.setdefault("SECRET_KEY", secret(var, "secret_key"))
    env.setdefault("DEBUG", "1")
    env.setdefault("DEMO", "1" if env["DEBUG"] not in {"", "0", "false", "False"} else "0")
    env.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    return env


def manage(env: dict[str, str], *arguments: str) -> None:
    """Runs a manage.py command whose success the caller needs. Raises `Problem` with its output if it fails."""
    command = [str(PYTHON), str(ROOT / "manage.py"), *arguments]
    done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Problem(f"manage.py {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")


def migrate(var: Path, env: dict[str, str]) -> None:
    """Applies the migrations, unless these very migrations were applied to this database before."""
    digest = hashlib.sha256()
    for path in [
        *sorted(ROOT.glob("*/migrations/*.py")),
        *sorted(ROOT.glob("tenancy/*.py")),
        *sorted(ROOT.glob("*/data/*.toml")),  # taken up with them
        ROOT / "requirements.txt",
    ]:
        digest.update(f"{path.relative_to(ROOT)}\n".encode() + path.read_bytes())
    with once(var, env, "migrations", digest.hexdigest()) as due:
        if due:
            say("Applying migrations ...")
            manage(env, "migrate", "--no-input")


@contextlib.contextmanager
def once(var: Path, env: dict[str, str], name: str, state: str = "") -> Iterator[bool]:
    """Yields whether `name` is due: not yet done for this database in this `state`. Done when the block succeeds."""
    database = hashlib.sha256(env["DATABASE_URL"].rpartition("@")[2].encode()).hexdigest()[:12]
    if env.get("DATABASE_URL") != os.environ.get("DATABASE_URL"):
        database = "embedded"  # its port may change
    stamp = var / "run" / f"{name}-{database}.stamp"
    with alone(var / "run" / f"{name}.lock"):
        due = not stamp.exists() or stamp.read_text() != state
        yield due
        if due:
            stamp.write_text(state)


def compile_messages() -> None:
    """Compiles the message files whose source is newer. Raises `Problem` if one is malformed."""
    sources = list(ROOT.glob("locale/*/LC_MESSAGES/*.po"))
    if all(
        po.with_suffix(".mo").exists() and po.with_suffix(".mo").stat().st_mtime >= po.stat().st_mtime for po in sources
    ):
        return
    done = subprocess.run([PYTHON, ROOT / "bin" / "messages", "compile"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Problem(f"The messages cannot be compiled:\n{done.stdout}{done.stderr}")
