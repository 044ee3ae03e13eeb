"""Network namespaces that a test makes, uses alone, and takes away again."""

from __future__ import annotations

import ctypes
import fcntl
import os
import shutil
import socket
import struct
import subprocess
from collections.abc import Callable
from typing import Final, TypeVar

Made = TypeVar("Made")
_CLONE_NEWNET: Final = 0x40000000
_SIOCETHTOOL: Final = 0x8946
_OFFLOADS: Final = (0x17, 0x19, 0x1F, 0x2C)  # checksums sent, scatter-gather, TCP segmentation, its generic receive


def no_namespaces(tool: str) -> str:
    """Why a test with this tool in a namespace cannot run here; empty where it can."""
    if shutil.which(tool) is None:
        return f"{tool} is not installed"
    if shutil.which("ip") is None or shutil.which("unshare") is None:
        return "ip or unshare is not installed"
    tried = subprocess.run(["unshare", "-n", "ip", "link"], capture_output=True, text=True, check=False)
    return "" if tried.returncode == 0 else f"no network namespaces here: {tried.stderr.strip()}"


def ip(*words: str) -> None:
    """`ip …`, which must succeed."""
    subprocess.run(["ip", *words], check=True, capture_output=True)


def inside(namespace: str, make: Callable[[], Made]) -> Made:
    """What `make` makes in a namespace: a socket belongs to the one that it was made in."""
    own = os.open("/proc/self/ns/net", os.O_RDONLY)
    other = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    try:
        _enter(other)
        return make()
    finally:
        _enter(own)
        os.close(own)
        os.close(other)


def whole_checksums(namespace: str, interface: str) -> None:
    """The kernel leaves checksums to a card that a veth pair does not have; a program in between would pass them on."""

    def switch_off() -> None:
        with socket.socket() as any_socket:
            for command in _OFFLOADS:
                value = ctypes.create_string_buffer(struct.pack("=II", command, 0))
                request = struct.pack("16sP16x", interface.encode(), ctypes.addressof(value))
                fcntl.ioctl(any_socket, _SIOCETHTOOL, request)

    inside(namespace, switch_off)


def _enter(descriptor: int) -> None:
    if ctypes.CDLL(None, use_errno=True).setns(descriptor, _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")
