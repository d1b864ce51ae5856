"""The virtual environment: made once, filled with the pinned packages, skipped while the pins are unchanged."""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from embedded import Problem

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "installed-pins"
RUNTIME = ("requirements.txt", "requirements-embedded.txt")
DEVELOPMENT = (*RUNTIME, "requirements-dev.txt")


def say(message: str) -> None:
    """Tells what happens, on standard error: standard output belongs to the command that runs."""
    print(message, file=sys.stderr, flush=True)


def make_folder(path: Path, mode: int = 0o700) -> Path:
    """Creates `path` with `mode` if it is missing; leaves the mode of an existing folder alone."""
    if not path.is_dir():
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(mode)
    return path


def var_folder(name: str = "") -> Path:
    """The folder of everything that is made at run time; VAR_DIR moves it. `name`: a part with data of its own."""
    folder = make_folder(Path(os.environ.get("VAR_DIR") or ROOT / "var").resolve(), 0o711)
    if name:
        folder = make_folder(folder / name, 0o711)
    make_folder(folder / "run")
    make_folder(folder / "log")
    return folder


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """Holds `path` locked; the lock goes with the process, however it ends."""
    make_folder(path.parent)
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def ensure(*, development: bool = False) -> None:
    """Makes the virtual environment hold the pinned packages, each checked against its hash.

    Raises `Problem` if it cannot be made or a package cannot be installed.
    """
    files = DEVELOPMENT if development else RUNTIME
    with alone(ROOT / "var" / "run" / "environment.lock"):
        if not _works():
            _make_venv()
        wanted = [_pin(name) for name in files]
        have = STAMP.read_text().splitlines() if STAMP.exists() else []
        if set(wanted) <= set(have):
            return
        _install(files)
        STAMP.write_text("\n".join([*wanted, ""]))


def enter() -> None:
    """Runs the calling script again inside the virtual environment, unless it is there already."""
    if Path(sys.prefix).resolve() != VENV.resolve():
        os.execv(PYTHON, [str(PYTHON), *sys.argv])


def _pin(name: str) -> str:
    return f"{name} {hashlib.sha256((ROOT / name).read_bytes()).hexdigest()}"


def _works() -> bool:
    try:
        check = "import sys; raise SystemExit(sys.version_info < (3, 11))"
        return subprocess.run([PYTHON, "-c", check], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _make_venv() -> None:
    say("Making the virtual environment .venv ...")
    if VENV.exists():
        shutil.rmtree(VENV)
    made = subprocess.run([sys.executable, "-m", "venv", VENV], capture_output=True, text=True, check=False)
    if made.returncode:
        # Debian ships venv without ensurepip: then the pip outside installs into the new environment.
        command = [sys.executable, "-m", "venv", "--clear", "--without-pip", VENV]
        made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode:
        raise Problem(f"The virtual environment cannot be made:\n{made.stdout}{made.stderr}")


def _install(files: tuple[str, ...]) -> None:
    say("Installing the pinned packages ...")
    command = [*_pip(), "install", "--quiet", "--no-input", "--disable-pip-version-check", "--require-hashes"]
    command += ["--no-deps", "--only-binary", ":all:"]
    for name in files:
        command += ["-r", str(ROOT / name)]
    if subprocess.run(command, stdout=sys.stderr, check=False).returncode:
        raise Problem("The packages cannot be installed; pip says why above. Run the command again once that is cured.")


def _pip() -> list[str]:
    inside = subprocess.run([PYTHON, "-m", "pip", "--version"], capture_output=True, check=False)
    if inside.returncode == 0:
        return [str(PYTHON), "-m", "pip"]
    return [sys.executable, "-m", "pip", "--python", str(PYTHON)]
