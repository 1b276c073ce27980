"""PostgreSQL on loopback TCP with a password. As root it runs as `nobody`, for PostgreSQL refuses root."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import IO

from compose.servers import fetch
from compose.servers.server import Failed, Server


class Postgres(Server):
    """One server on `port`, user `watchkeeper`, who may do everything.

    Without `durable` it leaves writing to the operating system: nothing is lost when its process is killed, only when the machine is.
    """

    name = "Postgres"
    user = "watchkeeper"
    farewell = signal.SIGINT  # "fast": it waits for no client

    def __init__(self, folder: Path, port: int | None = None, *, durable: bool = False, output: IO[bytes] | None = None) -> None:
        super().__init__(folder, port, output=output)
        self._durable = durable

    @property
    def password(self) -> str:
        """The password of `user`, made with the folder."""
        return (self.folder / "password").read_text(encoding="utf-8").strip()

    @property
    def url(self) -> str:
        """The server's own database, `postgres`, from which others can be made."""
        return f"postgresql://{self.user}:{self.password}@127.0.0.1:{self.port}/postgres"

    def _command(self) -> list[str]:
        programs, data = fetch.postgres(), self.folder / "data"
        if not (data / "PG_VERSION").exists():
            self._prepare(programs, data)
        _orphans_end(data / "postmaster.pid")
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "fsync": "on" if self._durable else "off",
        }
        return [
            *_demoted(),
            str(programs / "postgres"),
            "-D",
            str(data),
            *(word for item in options.items() for word in ("-c", "=".join(item))),
        ]

    def _prepare(self, programs: Path, data: Path) -> None:
        shutil.rmtree(data, ignore_errors=True)
        data.mkdir(mode=0o700)
        if os.geteuid() == 0:
            shutil.chown(data, "nobody")
        (self.folder / "password").write_text(secrets.token_urlsafe(16), encoding="utf-8")
        with tempfile.NamedTemporaryFile("w") as word:
            word.write(self.password)
            word.flush()
            if os.geteuid() == 0:
                shutil.chown(word.name, "nobody")
            options = ["-U", self.user, "--auth=scram-sha-256", f"--pwfile={word.name}", "--encoding=UTF8", "--no-locale", "--no-sync"]
            done = subprocess.run(
                [*_demoted(), str(programs / "initdb"), "-D", str(data), *options], capture_output=True, text=True, check=False, cwd="/"
            )
        if done.returncode != 0:
            raise Failed(f"PostgreSQL cannot make {data}\n{done.stdout}{done.stderr}")

    def _ready(self) -> bool:
        probe = [str(fetch.postgres() / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(probe, check=False).returncode == 0


def _orphans_end(note: Path) -> None:
    """Wait until the last process of a killed server has let go of its shared memory: until then another does not start."""
    lines = note.read_text(encoding="utf-8").splitlines() if note.exists() else []
    if len(lines) < 7:  # it ended in order, or before it had any
        return
    memory = lines[6].split()[-1]
    until = time.monotonic() + 10
    while time.monotonic() < until:
        rows = [line.split() for line in Path("/proc/sysvipc/shm").read_text(encoding="utf-8").splitlines()]
        if not any(row[1] == memory and row[6] != "0" for row in rows):  # shmid, nattch
            return
        time.sleep(0.05)


def _demoted() -> list[str]:
    """What runs a command as another user when we are root. It keeps root's way through folders, or it could not enter ours."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        raise fetch.Absent("PostgreSQL does not run as root, and there is no `setpriv`; install util-linux, or run as another user")
    identity = ["--reuid", "nobody", "--regid", str(pwd.getpwnam("nobody").pw_gid), "--clear-groups"]
    return ["setpriv", *identity, "--inh-caps", "+dac_override", "--ambient-caps", "+dac_override", "--"]
