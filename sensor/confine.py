"""Takes rights away from this process, for good: to send, to reach files, to be root.

    limited = confine_files(read=[…], write=[…])            # first of all: before any thread begins
    load_without_capabilities("pyarrow")                    # which starts threads as soon as it is loaded
    become("zonewatch", keep=["CAP_NET_RAW"])               # before there is a thread that could not
    live = …                                                # opens the capture sockets; its threads keep nothing
    confined = confine()                                    # before a packet is decoded
    for words in (*confined.in_force, *confined.lacking): … # for the log and for health

`confine` alone does all of it where `read` or `write` is given. Files and capabilities are a thread's own: threads
that began before a step are reached by the last one (calls) alone; what they keep of the others is said.
"""

from __future__ import annotations

import grp
import os
import pwd
import socket
import stat
import sys
import sysconfig
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Final

from zonewatch.dissectors import _native
from zonewatch.reports.words import counted, listed

__all__ = [
    "Confined",
    "ConfinementError",
    "Denied",
    "become",
    "confine",
    "confine_files",
    "denied",
    "interpreter_files",
    "load_without_capabilities",
]

_SYSTEM: Final = ("/usr", "/lib", "/lib64", "/bin", "/etc", "/proc", "/sys", "/dev/urandom")
"""What libraries read at any time: code that is loaded late, time zones, names, counters of interfaces."""
_SETUID: Final = 1 << 7
"""The bit of CAP_SETUID in the sets of `/proc/PID/status`."""
_ALWAYS_WRITTEN: Final = ("/dev/null",)


class ConfinementError(Exception):
    """A right could not be taken away; nothing may be captured then."""


@dataclass(frozen=True, slots=True)
class Denied:
    """A system call that a process which listens may not make."""

    call: str
    number: int
    when: str
    fate: str  # refused (EPERM) or killed
    reason: str


@dataclass(frozen=True, slots=True)
class Confined:
    """What was put in force, and what this kernel or this start lacks: one sentence each."""

    in_force: tuple[str, ...]
    lacking: tuple[str, ...] = ()


def denied() -> tuple[Denied, ...]:
    """The table of system calls that `confine` denies, in its order."""
    return tuple(Denied(*row) for row in _native.DENIED)


def interpreter_files() -> tuple[Path, ...]:
    """Folders that Python and its packages need to read, wherever they are installed."""
    found = {
        Path(place).resolve() for place in (sys.prefix, sys.base_prefix, *sysconfig.get_paths().values(), *sys.path)
    }
    found.add(Path(__file__).resolve().parents[1])
    return tuple(sorted(path for path in found if path.is_dir() and path != Path("/")))


def confine(
    *,
    read: Iterable[Path] | None = None,
    write: Iterable[Path] | None = None,
    user: str = "",
    group: str = "",
    keep: Sequence[str] = (),
) -> Confined:
    """Confines this process: it sends nowhere, is that user, and, where paths are given, reaches these alone.

    Packet sockets that are open are those that capture; they must stay open. A socket to the service manager is
    connected before, and is written to. Any other socket is an error.
    `keep` are capabilities (`CAP_NET_RAW`) that are still needed; after the sockets are open it is none.
    Raises ConfinementError where something that this kernel can do fails; what it cannot do is in `lacking`.
    """
    in_force: list[str] = []
    lacking: list[str] = []
    sockets = _capture_sockets()
    if read is not None or write is not None:
        limited = confine_files(read or (), write or ())
        in_force.extend(limited.in_force)
        lacking.extend(limited.lacking)
    try:
        _drop_privileges(user, group, keep, in_force, lacking)
        _native.deny_sending(sockets)
    except (OSError, KeyError) as error:
        raise ConfinementError(f"the sensor cannot give up its rights: {error}") from error
    calls = {row.call: row.fate for row in denied()}
    killed = sum(fate == "killed" for fate in calls.values())
    in_force.append(
        f"nothing can be sent: {len(calls)} system calls are denied to all {counted(len(_threads()), 'thread')}, "
        f"{killed} of them by ending the process; {counted(len(sockets), 'capture socket')} can only be read"
    )
    return Confined(tuple(in_force), tuple(lacking))


def confine_files(read: Iterable[Path], write: Iterable[Path]) -> Confined:
    """Leaves this process these paths, with what Python and libraries need to read, and lets it start no program."""
    if sys.platform != "linux":
        raise ConfinementError("only Linux lets a process give up its rights for good")
    threads, written = _threads(), tuple(write)
    readable = (*(Path(place) for place in _SYSTEM if Path(place).exists()), *interpreter_files(), *read)
    writable = (*(Path(place) for place in _ALWAYS_WRITTEN), *written)
    try:
        abi, everywhere = _native.limit_files([str(path) for path in readable], [str(path) for path in writable])
    except OSError as error:
        raise ConfinementError(f"the sensor cannot give up its rights: {error}") from error
    if not abi:
        return Confined((), ("this kernel has no Landlock (Linux 5.13, where switched on): files are not limited",))
    places = listed(str(path) for path in written) or "nothing"
    in_force = f"files are limited (Landlock {abi}): it writes {places}, reads what it needs, and starts no program"
    if len(threads) == 1 or everywhere:
        return Confined((in_force,))
    began = f"{counted(len(threads) - 1, 'thread')} began before and can reach all files"
    return Confined((in_force,), (f"{began}: Linux before 7.0 limits the files of one thread alone",))


def become(user: str, keep: Sequence[str]) -> None:
    """Makes this process that user; this thread, and all that it starts later, keep these capabilities, others none.

    Without a user it stays who it is; root keeps all then, for the files that it reads may be those of others.
    """
    try:
        if user or os.getuid():
            _drop_privileges(user, "", keep, [], [])
    except (OSError, KeyError) as error:
        raise ConfinementError(f"the sensor cannot give up its rights: {error}") from error


def load_without_capabilities(*modules: str) -> None:
    """Loads libraries that start threads: those have the capabilities of the thread that loads, here none.

    Root alone loads with what it has: its libraries may lie in the folder of another user. They lose it in `become`.
    """

    def load() -> None:
        if os.getuid():
            _native.hold_capabilities([])
        for module in modules:
            import_module(module)

    loading = threading.Thread(target=load)
    loading.start()
    loading.join()
    for module in modules:  # again, so that what went wrong is raised here
        import_module(module)


def _drop_privileges(user: str, group: str, keep: Sequence[str], in_force: list[str], lacking: list[str]) -> None:
    _native.bound_capabilities(list(keep))  # beyond no_new_privs, by which programs get none: where it is allowed
    if user or group:
        _become(user, group)
    if not _native.hold_capabilities(list(keep)):
        lacking.append("a filter of system calls forbids to drop capabilities: allow capset in the service's unit")
    held = _holding(keep)
    kept = f" but {', '.join(keep)}" if keep else ""
    in_force.append(
        f"privileges are dropped: user {_name_of_user()}, no capability{kept}, no way to new ones (no_new_privs)"
    )
    if os.getuid() == 0:
        lacking.append("it is still the user root, whose files are open to it; name a user to become")
    if held:
        lacking.append(f"{counted(len(held), 'thread')} began before and kept capabilities")


def _become(user: str, group: str) -> None:
    """Changes user and groups of all threads."""
    account = pwd.getpwnam(user) if user else pwd.getpwuid(os.getuid())
    number = grp.getgrnam(group).gr_gid if group else account.pw_gid
    if (os.getuid(), os.getgid()) == (account.pw_uid, number):
        return
    # The C library changes the user of all threads, and ends the process where one of them may not.
    if any(not _status(thread, "CapEff") & _SETUID for thread in _threads()):
        raise ConfinementError(f"the sensor cannot become {account.pw_name}: it, or one of its threads, may not")
    os.setgroups([])
    os.setresgid(number, number, number)
    os.setresuid(account.pw_uid, account.pw_uid, account.pw_uid)


def _capture_sockets() -> list[int]:
    """The packet sockets of this process. One to any other network could be written, and is refused."""
    found = dict(_open_sockets())
    for number, family in found.items():
        if family not in (socket.AF_UNIX, socket.AF_PACKET):
            raise ConfinementError(f"descriptor {number} is a socket of family {family} to a network; close it before")
    return [number for number, family in found.items() if family == socket.AF_PACKET]


def _open_sockets() -> Iterator[tuple[int, int]]:
    """Descriptors of this process that are sockets, with their address family."""
    for entry in sorted(int(entry.name) for entry in Path("/proc/self/fd").iterdir()):
        try:
            if not stat.S_ISSOCK(os.fstat(entry).st_mode):
                continue
            with socket.socket(fileno=os.dup(entry)) as copy:
                yield entry, int(copy.family)
        except OSError:  # the folder's own descriptor, closed by now
            continue


def _threads() -> tuple[int, ...]:
    return tuple(sorted(int(entry.name) for entry in Path("/proc/self/task").iterdir()))


def _holding(keep: Sequence[str]) -> list[int]:
    """Threads that hold capabilities though none is kept."""
    return [] if keep else [thread for thread in _threads() if _status(thread, "CapPrm")]


def _status(thread: int, field: str) -> int:
    """A set of capabilities of a thread."""
    try:
        lines = Path(f"/proc/self/task/{thread}/status").read_text(encoding="utf-8").splitlines()
    except OSError:  # ended meanwhile
        return 0
    return next((int(line.split()[1], 16) for line in lines if line.startswith(f"{field}:")), 0)


def _name_of_user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
