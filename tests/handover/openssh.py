"""A real OpenSSH server on loopback, for this process's own user."""

import getpass
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


class Server:
    """`folder`: where files are put; `keys`: its authorized_keys; `host_key`: its public key as one line."""

    def __init__(self, place: Path) -> None:
        self.place, self.user = place, getpass.getuser()
        self.folder = place / "incoming"
        self.folder.mkdir()
        self.keys = place / "authorized_keys"
        self.keys.touch()
        self.host_key = self._make_key("host")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._config = place / "sshd_config"
        self._config.write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {place / 'host'}\nPidFile {place / 'pid'}\n"
            f"AuthorizedKeysFile {self.keys}\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n"
            "KbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\nSubsystem sftp internal-sftp\n"
        )
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def _make_key(self, name: str) -> str:
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.place / name)]
        subprocess.run(command, check=True)
        return (self.place / f"{name}.pub").read_text().strip()

    def start(self) -> None:
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        command = [str(SSHD), "-D", "-e", "-f", str(self._config)]
        self._process = subprocess.Popen(command, stderr=(self.place / "log").open("ab"))
        for _look in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise AssertionError((self.place / "log").read_text())

    def stop(self) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(10)


def server(place: Path) -> Server:
    """Skips without OpenSSH; fails where the build must have it."""
    if SSHD is None:
        reason = "No OpenSSH server found: sending by SFTP was not tried."
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return Server(place)
