"""Each way to send that the table of denied calls names, tried by the process that calls this: one that has confined
itself. Run as a program it confines itself, says `ready`, and tries what its standard input names, a line each.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import platform
import queue
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from zonewatch.sensor.confine import confine, denied

FRAME: Final = bytes.fromhex("ffffffffffff 020000000001 88b5") + b"zonewatch must never send this frame".ljust(46)
"""To all, with an EtherType for experiments (IEEE 802, 9.2.3)."""
LATER: Final = {"x86_64": 0x40000000 + 44}.get(platform.machine(), 100_000)
"""A number that no call has here; on x86-64 it is sendto of another table of calls (x32)."""
_C: Final = ctypes.CDLL(None, use_errno=True)
_SIOCGIFFLAGS: Final = 0x8913
_SIOCSIFFLAGS: Final = 0x8914
_IPV4: Final = int(socket.AF_INET)


def capture_socket(interface: str) -> socket.socket:
    """A socket that captures, as the sensor opens it."""
    made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0003))
    made.bind((interface, 0x0003))
    return made


def call(number: int, *arguments: object) -> str:
    """What a system call ends with: the name of its error, or `done`."""
    words = [ctypes.c_long(word) if isinstance(word, int) else word for word in arguments]
    ctypes.set_errno(0)
    result = _C.syscall(ctypes.c_long(number), *words)
    return "done" if result >= 0 else errno.errorcode[ctypes.get_errno()]


class Attempts:
    """What is tried, by the call's name and when the table denies it. Arguments are such that the kernel would do it,
    or would at least fail for another reason, if nothing denied it."""

    def __init__(self, sock: int, folder: Path) -> None:
        self._sock, self._file = sock, os.open(folder / "file", os.O_CREAT | os.O_RDWR)
        os.write(self._file, FRAME)
        self._pipe = os.pipe()
        os.write(self._pipe[1], FRAME)
        self._pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self._buffer = ctypes.create_string_buffer(FRAME, len(FRAME))
        self._vector = (ctypes.c_size_t * 2)(ctypes.addressof(self._buffer), len(FRAME))
        self._message = (ctypes.c_size_t * 7)(0, 0, ctypes.addressof(self._vector), 1, 0, 0, 0)
        self._zeros = ctypes.create_string_buffer(4096)

    def arguments(self, name: str, when: str) -> tuple[object, ...]:
        """Arguments for a row of the table."""
        sock, unix, length = self._sock, self._pair[0].fileno(), len(FRAME)
        known: dict[str, tuple[object, ...]] = {
            "sendto": (sock, self._buffer, length, 0, None, 0),
            "sendmsg": (sock, self._message, 0),
            "sendmmsg": (sock, self._message, 1, 0),
            "write": (sock, self._buffer, length),
            "writev": (sock, self._vector, 1),
            "pwrite64": (sock, self._buffer, length, 0),
            "pwritev": (sock, self._vector, 1, 0, 0),
            "pwritev2": (sock, self._vector, 1, -1, -1, 0),
            "sendfile": (sock, self._file, self._zeros, length),
            "splice": (self._pipe[0], None, sock, None, length, 0),
            "tee": (self._pipe[0], sock, length, 0),
            "vmsplice": (sock, self._vector, 1, 0),
            "copy_file_range": (self._file, self._zeros, sock, None, length, 0),
            "dup": (sock,),
            "dup2": (sock, 200) if "on a capture" in when else (self._file, sock),
            "dup3": (sock, 200, 0),
            "fcntl": (sock, fcntl.F_DUPFD, 200),
            "close": (sock,),
            "close_range": (sock, sock, 0),
            "socket": (int(socket.AF_PACKET), int(socket.SOCK_RAW), 0),
            "socketpair": (_IPV4, int(socket.SOCK_STREAM), 0, self._zeros),
            "ioctl": (unix, _SIOCSIFFLAGS, self._zeros),
            "recvmsg": (unix, self._message, int(socket.MSG_DONTWAIT)),
            "setsockopt": (sock, 263, 23, self._zeros, 4),
        }
        return known.get(name, (unix, self._zeros, 0, 0, 0, 0))


def others(sock: int, folder: Path) -> dict[str, Callable[[], str]]:
    """What is tried besides the rows: each a way that has no row of its own, or that must still be open."""

    def place(open_: Callable[[], object]) -> str:
        try:
            open_()
        except OSError as error:
            return errno.errorcode[error.errno or 0]
        return "done"

    name = ctypes.create_string_buffer(b"lo", 40)
    manager = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    asked, answered = queue.Queue[bool](), queue.Queue[str]()

    def before() -> None:
        asked.get()
        answered.put(place(lambda: os.write(sock, FRAME)))

    threading.Thread(target=before, daemon=True).start()

    def by_thread() -> str:
        asked.put(True)
        return answered.get(timeout=10)

    return {
        "the second of dup2": lambda: call(33, 0, sock) if platform.machine() == "x86_64" else "EPERM",
        "the second of dup3": lambda: place(lambda: os.dup2(0, sock, inheritable=False)),
        "F_DUPFD_CLOEXEC": lambda: place(lambda: fcntl.fcntl(sock, fcntl.F_DUPFD_CLOEXEC, 200)),
        "upper bits of the descriptor": lambda: call(_number("write"), sock | 1 << 40, FRAME, len(FRAME)),
        "an unknown call": lambda: call(LATER, sock, FRAME, len(FRAME), 0, None, 0),
        "UDP to a name server": lambda: place(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)),
        "netlink": lambda: place(lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)),
        "a program": lambda: place(lambda: os.execv("/bin/true", ["true"])),
        "a file outside": lambda: place(lambda: Path("/var/tmp/zonewatch-outside").write_text("x", encoding="utf-8")),
        "a secret": lambda: place(lambda: Path("/root/.profile").read_bytes()),
        "to be root again": lambda: place(lambda: os.setuid(0)),
        "its own file": lambda: place(lambda: (folder / "own").write_text("x", encoding="utf-8")),
        "the flags of the interface": lambda: call(_number("ioctl"), sock, _SIOCGIFFLAGS, name),
        "to read": lambda: place(lambda: os.fstat(sock)),
        "the service manager": lambda: place(lambda: os.write(manager[0].fileno(), b"WATCHDOG=1\n")),
        "a thread that began before": by_thread,
    }


def _number(name: str) -> int:
    return next(row.number for row in denied() if row.call == name)


def main() -> None:
    """Confines itself as the sensor does, and tries what it is told to."""
    interface, mode, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    sock = capture_socket(interface)
    attempts, beside = Attempts(sock.fileno(), folder), others(sock.fileno(), folder)
    rows = {f"{row.call} {row.when}": row for row in denied()}
    if mode == "confined":
        confine(write=[folder], user="nobody")
    print("ready", flush=True)
    for line in map(str.strip, sys.stdin):
        if line == "injected":
            try:
                told = f"sent {sock.send(FRAME)}"
            except OSError as error:
                told = errno.errorcode[error.errno or 0]
        elif row := rows.get(line):
            told = call(row.number, *attempts.arguments(row.call, row.when))
        else:
            told = beside[line]()
        print(told, flush=True)


if __name__ == "__main__":
    main()
