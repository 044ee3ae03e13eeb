"""tshark run on a file: found, isolated from the user's profile, ended in time, its output bounded."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from zonewatch.reports.words import size, visible

__all__ = ["MISSING", "Output", "Tshark", "TsharkMissing", "find", "running"]

MISSING: Final = "tshark is not installed (Debian, Ubuntu: apt install tshark; elsewhere it comes with Wireshark)"
_ELSEWHERE: Final = (
    "/Applications/Wireshark.app/Contents/MacOS",
    r"C:\Program Files\Wireshark",
    r"C:\Program Files (x86)\Wireshark",
)
"""Where Wireshark's installers put it without telling PATH."""
_VERSION: Final = re.compile(r"(\d+\.\d+(?:\.\d+)*)")
_MOST_LINE: Final = 1 << 20
_MOST_SAID: Final = 4_096
_KEPT: Final = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


class TsharkMissing(Exception):
    """There is no tshark, or it does not run. The message is one line for the user."""


@dataclass(frozen=True, slots=True)
class Tshark:
    """The program and its version, such as `4.0.17`."""

    path: str
    version: str


@dataclass(slots=True)
class Output:
    """What a run wrote, line by line; why it ended early is known once the lines are read."""

    stream: IO[bytes]
    most_octets: int
    octets: int = 0
    stopped: str = ""  # in words; empty: tshark came to its end
    said: str = ""  # the first line of its complaint, where it failed
    long_lines: int = 0  # longer than is read; they are left out
    _late: threading.Event = field(default_factory=threading.Event)

    def __iter__(self) -> Iterator[bytes]:
        while line := self.stream.readline(_MOST_LINE):
            self.octets += len(line)
            if self.octets > self.most_octets:
                self.stopped = f"more than {size(self.most_octets)} of output"
                return
            if not line.endswith(b"\n") and len(line) == _MOST_LINE:
                self.long_lines += 1
                self._skip()
                continue
            yield line

    def _skip(self) -> None:
        while (rest := self.stream.readline(_MOST_LINE)) and not rest.endswith(b"\n"):
            self.octets += len(rest)


def find() -> Tshark:
    """The tshark of PATH, or where Wireshark's installers put it. Raises TsharkMissing."""
    places = os.pathsep.join((os.environ.get("PATH", ""), *_ELSEWHERE))
    path = shutil.which("tshark", path=places)
    if path is None:
        raise TsharkMissing(MISSING)
    try:
        with running(path, ("--version",), seconds=60, most_octets=1 << 20) as output:
            first = next(iter(output), b"")
    except OSError as error:
        raise TsharkMissing(f"{path}: {error.strerror or error}") from None
    found = _VERSION.search(first.decode(errors="replace"))
    if found is None:
        raise TsharkMissing(f"{path}: does not tell its version" + (f": {output.said}" if output.said else ""))
    return Tshark(path, found[1])


@contextmanager
def running(path: str, arguments: Sequence[str], *, seconds: float, most_octets: int) -> Iterator[Output]:
    """tshark at work, for as long as its output is read; it is ended after `seconds` or `most_octets`.

    It has an empty profile of its own, so that neither preferences, nor plug-ins, nor colour rules of the user count;
    times are UTC. Raises OSError where it cannot be started.
    """
    with tempfile.TemporaryDirectory(prefix="zonewatch-", ignore_cleanup_errors=True) as home:
        said = Path(home, "said")
        with said.open("wb") as errors:
            process = subprocess.Popen(
                (path, *arguments),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=_environment(home),
            )
        assert process.stdout is not None
        output = Output(process.stdout, most_octets)
        timer = threading.Timer(seconds, _end, (process, output))
        timer.daemon = True
        timer.start()
        try:
            yield output
        finally:
            timer.cancel()
            is_at_end = not process.stdout.read(1)
            if not is_at_end:
                process.kill()
            process.stdout.close()
            code = process.wait()
            if output._late.is_set():
                output.stopped = f"stopped after {seconds:g} s"
            if code > 0 and is_at_end:
                output.said = _complaint(said)


def _end(process: subprocess.Popen[bytes], output: Output) -> None:
    output._late.set()
    process.kill()


def _environment(home: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    own = ("HOME", "USERPROFILE", "APPDATA", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "WIRESHARK_CONFIG_DIR", "TMPDIR")
    return {**kept, **dict.fromkeys(own, home), "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def _complaint(said: Path) -> str:
    with said.open("rb") as file:
        lines = file.read(_MOST_SAID).decode(errors="replace").splitlines()
    told = [line for line in lines if line.strip() and not line.startswith("Running as user")]
    return visible(told[0], 300) if told else ""
