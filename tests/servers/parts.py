"""What the servers share: a JDK, artifacts of Maven, ports, and a process that runs while a context lasts."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

LONGEST = 300  # seconds until a server answers, on a machine that has other things to do
NOBODY = 65534
BRIEF = "-XX:TieredStopAtLevel=1"
"""For a JVM: a server that lives for a minute gains nothing by code that was compiled with much effort."""
MAVEN = Path.home() / ".m2/repository"


def java(least: int, most: int = 10**6) -> Path:
    """The home of a JDK of one of these versions, the newest; skips where there is none."""
    found = []
    for release in Path("/usr/lib/jvm").glob("*/release"):
        version = re.search(r'JAVA_VERSION="(\d+)', release.read_text(errors="replace"))
        if version and least <= int(version[1]) <= most:
            found.append((int(version[1]), release.parent))
    if not found:
        pytest.skip(f"no JDK of version {least} or newer in /usr/lib/jvm")
    return max(found)[1]


def maven(group: str, name: str, version: str, kind: str = "zip") -> Path:
    """An artifact in the local repository of Maven, fetched where it is missing; skips where it is not to be had."""
    folder = MAVEN / group.replace(".", "/") / name / version
    path = folder / f"{name}-{version}.{kind}"
    artifact = f"{group}:{name}:{version}:{kind}"
    if not path.exists() and shutil.which("mvn"):
        command = ["mvn", "-q", "dependency:get", f"-Dartifact={artifact}", "-Dtransitive=false"]
        subprocess.run(command, capture_output=True, timeout=600, check=False)
    if not path.exists():
        pytest.skip(f"no {artifact}: Maven is missing, or has no access to a repository")
    return path


def program(name: str, package: str) -> Path:
    """A program of the system; skips where it is not installed."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if found is None:
        pytest.skip(f"no {name}: apt-get install {package}")
    return Path(found)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def unprivileged(folder: Path) -> list[str]:
    """What stands before the command of a server that refuses root; the folder is given to nobody."""
    if os.geteuid() != 0:
        return []
    for path in (folder, *folder.rglob("*")):
        os.chown(path, NOBODY, NOBODY)
    for parent in folder.parents:
        if parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o011)
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]


@dataclass
class Server:
    """A process that can be ended, killed and started again on the same files."""

    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    answers: Callable[[], bool]
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, env=dict(self.environment), stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
        end = time.monotonic() + LONGEST
        while not self.answers():
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.command[0]} ended at its start:\n{self.log.read_text()[-3000:]}")
            if time.monotonic() > end:
                raise RuntimeError(f"{self.command[0]} did not answer in {LONGEST} s")
            time.sleep(0.2)

    def stop(self, with_: signal.Signals = signal.SIGTERM) -> None:
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, with_)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait(60)


@contextmanager
def running(server: Server) -> Iterator[Server]:
    try:
        server.start()
        yield server
    finally:
        server.stop()


def listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1):
            return True
    except OSError:
        return False
