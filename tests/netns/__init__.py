"""A mirror port in network namespaces: two hosts of a plant, a switch that copies their ports, and the sensor's end.

    with mirror_port() as port:
        with port.sensor([sys.executable, "-c", PROGRAM]) as program:
            port.replay(capture)

         plant A ── a ╮            ╭ b ── plant B
                      ├── switch ──┤
                      ╰─ copies of what comes in at a and b ── span ──(veth)── mirror, the sensor's interface

All is in namespaces of its own names and is taken away at the end. `port.far` is the switch's end of the cable to the
sensor: what the sensor sends arrives there.
"""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final, TypeVar

from tests.enforce.namespaces import inside, ip, no_namespaces, whole_checksums

__all__ = ["MirrorPort", "frames_of", "mirror_port", "why_not"]

Made = TypeVar("Made")
INTERFACE: Final = "mirror"
FAR: Final = "span"
_MTU: Final = 9000
_ALL: Final = 0x0003  # ETH_P_ALL
_NUMBERS: Final = count(1)
_PCAP: Final = {b"\xd4\xc3\xb2\xa1": "<", b"\xa1\xb2\xc3\xd4": ">", b"\x4d\x3c\xb2\xa1": "<", b"\xa1\xb2\x3c\x4d": ">"}


def why_not() -> str:
    """Why there can be no mirror port here; empty where there can."""
    if os.geteuid() != 0:
        return "network namespaces with names need root"
    return no_namespaces("tc")


def frames_of(capture: Path) -> Iterator[bytes]:
    """The Ethernet frames of a classic pcap file."""
    with capture.open("rb") as file:
        head = file.read(24)
        order = _PCAP.get(head[:4])
        if order is None or struct.unpack(f"{order}I", head[20:])[0] & 0xFFFF != 1:
            raise ValueError(f"{capture.name}: no classic pcap of Ethernet frames")
        while len(record := file.read(16)) == 16:
            yield file.read(struct.unpack(f"{order}IIII", record)[2])


@dataclass(frozen=True)
class MirrorPort:
    """The namespaces of one mirror port, by their names."""

    plant: tuple[str, str]
    switch: str
    sensor_side: str
    interface: str = INTERFACE
    far: str = FAR

    def replay(self, capture: Path, rate: float = 0.0) -> int:
        """Sends a capture's frames through the switch: the sender of the first one is host A, all others are B.

        `rate` is packets a second, 0 as fast as it goes. Gives how many were sent.
        """
        hosts = [inside(name, lambda: _raw("host")) for name in self.plant]
        sent, first, began = 0, b"", time.monotonic()
        try:
            for frame in frames_of(capture):
                first = first or frame[6:12]
                hosts[frame[6:12] != first].send(frame)
                sent += 1
                if rate and (ahead := sent / rate - (time.monotonic() - began)) > 0:
                    time.sleep(ahead)
        finally:
            for host in hosts:
                host.close()
        return sent

    @contextmanager
    def sensor(self, command: Sequence[str], **options: object) -> Iterator[subprocess.Popen[str]]:
        """A program in the sensor's namespace, with pipes; it is ended at the end."""
        words = ["ip", "netns", "exec", self.sensor_side, *command]
        with subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
        ) as program:  # type: ignore[call-overload]
            try:
                yield program
            finally:
                program.kill()

    def run(self, *command: str, check: bool = True) -> str:
        """What a program in the sensor's namespace prints."""
        words = ["ip", "netns", "exec", self.sensor_side, *command]
        return subprocess.run(words, check=check, capture_output=True, text=True).stdout

    def make(self, maker: Callable[[], Made]) -> Made:
        """What is made in the sensor's namespace, such as a socket."""
        return inside(self.sensor_side, maker)

    def listen_far(self) -> socket.socket:
        """A socket at the switch's end of the cable to the sensor: it sees what the sensor sends, and that alone."""

        def listening() -> socket.socket:
            listener = _raw(self.far, _ALL)
            listener.setsockopt(263, 23, 1)  # SOL_PACKET, PACKET_IGNORE_OUTGOING: the copies go out there
            listener.settimeout(0.2)
            return listener

        return inside(self.switch, listening)

    def counter(self, name: str) -> int:
        """A counter of the sensor's interface, such as tx_packets."""
        return int(self.run("cat", f"/sys/class/net/{self.interface}/statistics/{name}"))


def _raw(interface: str, protocol: int = 0) -> socket.socket:
    made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(protocol))
    made.bind((interface, protocol))
    return made


@contextmanager
def mirror_port(*, silent: bool = True) -> Iterator[MirrorPort]:
    """Makes a mirror port and takes it away again. Unless `silent`, the sensor's interface is as kernels make them."""
    mark = f"zw{os.getpid()}x{next(_NUMBERS)}"
    plant, switch, sensor = (f"{mark}a", f"{mark}b"), f"{mark}s", f"{mark}m"
    made: list[str] = []
    try:
        for name in (*plant, switch, sensor):
            ip("netns", "add", name)
            made.append(name)
        _mute(switch, "all", "default")
        ip("-n", switch, "link", "add", "bridge", "type", "bridge", "mcast_snooping", "0", "stp_state", "0")
        _quiet(switch, "bridge")
        for host, port in zip(plant, ("a", "b"), strict=True):
            _mute(host, "all", "default")
            ip("-n", host, "link", "add", "host", "type", "veth", "peer", "name", port, "netns", switch)
            whole_checksums(host, "host")
            _quiet(host, "host")
            ip("-n", switch, "link", "set", "dev", port, "master", "bridge")
            _quiet(switch, port)
        if silent:
            _mute(sensor, "all", "default")
        ip("-n", sensor, "link", "add", INTERFACE, "type", "veth", "peer", "name", FAR, "netns", switch)
        _quiet(switch, FAR)
        if silent:
            _quiet(sensor, INTERFACE)
        else:
            ip("-n", sensor, "link", "set", "dev", INTERFACE, "mtu", str(_MTU), "up")
        for port in ("a", "b"):
            _copied(switch, port)
        yield MirrorPort(plant, switch, sensor)
    finally:
        for name in reversed(made):
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


def _mute(namespace: str, *interfaces: str) -> None:
    """Without IPv6, so that nothing sends by itself."""
    for name in interfaces:
        path = f"net/ipv6/conf/{name}/disable_ipv6"
        inside(namespace, lambda path=path: Path("/proc/sys", path).write_text("1", encoding="ascii"))  # type: ignore[misc]


def _quiet(namespace: str, interface: str) -> None:
    ip("-n", namespace, "link", "set", "dev", interface, "addrgenmode", "none")
    ip("-n", namespace, "link", "set", "dev", interface, "mtu", str(_MTU), "arp", "off", "multicast", "off", "up")


def _copied(namespace: str, port: str) -> None:
    """What comes in at a port of the switch is copied to the cable of the sensor."""
    tc = ["ip", "netns", "exec", namespace, "tc"]
    every = ["protocol", "all", "prio", "1", "u32", "match", "u32", "0", "0"]
    copy = ["action", "mirred", "egress", "mirror", "dev", FAR]
    for words in (["qdisc", "add", "dev", port, "clsact"], ["filter", "add", "dev", port, "ingress", *every, *copy]):
        subprocess.run([*tc, *words], check=True, capture_output=True)
