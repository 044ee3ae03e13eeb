"""The nftables export: its text, what nft itself says of it, and packets through a router in namespaces made here."""

from __future__ import annotations

import datetime as dt
import os
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.enforce.namespaces import inside, ip, no_namespaces
from zonewatch.rules.enforce.nftables import nftables
from zonewatch.rules.enforce.plan import planned, shielded
from zonewatch.rules.policy.load import load_policy, parse_policy

HERE = Path(__file__).parent
POLICY = HERE / "policy.yaml"
PLANT = HERE.parents[1] / "pcaps" / "waterworks" / "policy.yaml"
DAY = dt.date(2026, 3, 2)


WHY_NOT = no_namespaces("nft")
needs_nft = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)


def exported(policy: Path = POLICY, shield: str = "", day: dt.date = DAY) -> str:
    plan = planned(load_policy(policy), day)
    return nftables(shielded(plan, shield) if shield else plan).files["zonewatch.nft"]


@pytest.mark.parametrize(("shield", "golden"), [("", "mill.nft"), ("plc-1", "mill-plc-1.nft")])
def test_golden(shield: str, golden: str) -> None:
    assert exported(shield=shield) == (HERE / "golden" / golden).read_text("utf-8")


@needs_nft
@pytest.mark.parametrize(
    ("policy", "shield"), [(POLICY, ""), (POLICY, "plc-1"), (PLANT, ""), (PLANT, "plc-3"), (PLANT, "rtu-1")]
)
def test_nft_takes_it(tmp_path: Path, policy: Path, shield: str) -> None:
    file = tmp_path / "zonewatch.nft"
    file.write_text(exported(policy, shield))
    done = subprocess.run(["unshare", "-n", "nft", "-c", "-f", file], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@needs_nft
def test_nft_takes_hostile_names(tmp_path: Path) -> None:
    text = (
        POLICY.read_text("utf-8")
        .replace("id: office", """id: "o'f}\\";{ice\"""")
        .replace("Paper mill", '"Paper\\nmill\\u2028 }"')
    )
    text = text.replace("id: poll", "id: 'poll\";drop#`$(x)é'").replace("scada-to-control", "s" * 200)
    file = tmp_path / "zonewatch.nft"
    file.write_text(nftables(planned(parse_policy(text), DAY)).files["zonewatch.nft"])
    done = subprocess.run(["unshare", "-n", "nft", "-c", "-f", file], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@dataclass(frozen=True)
class Net:
    """A router between the three zones of the policy, each zone a namespace with all of its hosts."""

    prefix: str

    def run(self, zone: str, *command: str | Path) -> subprocess.CompletedProcess[str]:
        line = ["ip", "netns", "exec", f"{self.prefix}-{zone}", *map(str, command)]
        return subprocess.run(line, capture_output=True, text=True, check=False)

    def load(self, folder: Path, text: str) -> None:
        file = folder / "loaded.nft"
        file.write_text(text)
        done = self.run("router", "nft", "-f", file)
        assert done.returncode == 0, done.stderr

    def reaches(self, client: tuple[str, str], server: tuple[str, str], port: int, expected: bool = True) -> bool:
        """Whether a TCP connection is opened and answered, by real sockets in the two namespaces.

        A busy machine is waited for where the connection is expected.
        """
        with inside(f"{self.prefix}-{server[0]}", lambda: socket.socket(_family(server[1]))) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((server[1], port))
            listener.listen()
            with inside(f"{self.prefix}-{client[0]}", lambda: socket.socket(_family(client[1]))) as opener:
                opener.settimeout(10 if expected else 0.4)
                opener.bind((client[1], 0))
                try:
                    opener.connect((server[1], port))
                except OSError:
                    return False
                accepted, _ = listener.accept()
                with accepted:
                    accepted.sendall(b"answer")
                    return opener.recv(6) == b"answer"


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


HOSTS = {
    "office": ("10.9.0.1/24", ["10.9.0.50/24"]),
    "supervision": ("10.1.0.1/24", ["10.1.0.10/24", "10.1.0.15/24", "10.1.0.5/24", "10.1.0.99/24"]),
    "control": ("10.2.0.1/24", ["10.2.0.11/24", "10.2.0.21/24", "10.2.0.77/24"]),
}


@pytest.fixture(scope="module")
def net() -> Iterator[Net]:
    made = Net(f"zw{os.getpid()}")
    names = [f"{made.prefix}-{zone}" for zone in ("router", *HOSTS)]

    try:
        for name in names:
            ip("netns", "add", name)
            ip("-n", name, "link", "set", "lo", "up")
        router = names[0]
        for number, (zone, (gateway, hosts)) in enumerate(HOSTS.items()):
            name = f"{made.prefix}-{zone}"
            ip("-n", router, "link", "add", f"z{number}", "type", "veth", "peer", "name", "eth0", "netns", name)
            ip("-n", router, "addr", "add", gateway, "dev", f"z{number}")
            ip("-n", router, "addr", "add", f"fd00:{number}::1/64", "dev", f"z{number}", "nodad")
            ip("-n", router, "link", "set", f"z{number}", "up")
            for host in hosts:
                ip("-n", name, "addr", "add", host, "dev", "eth0")
            for last in ("5", "99"):
                ip("-n", name, "addr", "add", f"fd00:{number}::{last}/64", "dev", "eth0", "nodad")
            ip("-n", name, "link", "set", "eth0", "up")
            ip("-n", name, "route", "add", "default", "via", gateway.partition("/")[0])
            ip("-n", name, "-6", "route", "add", "default", "via", f"fd00:{number}::1")
        for setting in ("net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"):
            made.run("router", "sh", "-c", f"echo 1 > /proc/sys/{setting}")
        assert made.run("router", "cat", "/proc/sys/net/ipv4/ip_forward").stdout == "1\n"
        yield made
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


SCADA, HMI, OTHER = ("supervision", "10.1.0.10"), ("supervision", "10.1.0.15"), ("supervision", "10.1.0.99")
PLC, RTU, NEW = ("control", "10.2.0.11"), ("control", "10.2.0.21"), ("control", "10.2.0.77")
PC, CLOCK = ("office", "10.9.0.50"), ("supervision", "10.1.0.5")

CASES = [
    (SCADA, PLC, 502, True),
    (HMI, PLC, 502, True),
    (SCADA, RTU, 20000, True),
    (OTHER, PLC, 502, False),  # no client of the flow
    (HMI, RTU, 20000, False),  # a client of another flow
    (SCADA, NEW, 502, False),  # no server of the flow
    (SCADA, PLC, 80, False),
    (SCADA, PLC, 8443, False),  # the exception is over by the clock of this machine
    (PLC, SCADA, 502, False),  # the other way
    (PC, PLC, 502, False),
    (PC, SCADA, 3389, False),
    (SCADA, PC, 80, False),
]


@needs_nft
def test_packets_through_a_router(net: Net, tmp_path: Path) -> None:
    net.run("router", "nft", "flush", "ruleset")
    assert all(net.reaches(client, server, port) for client, server, port, _ in CASES), "the router forwards nothing"
    net.load(tmp_path, exported())
    got = {case[:3]: net.reaches(*case) for case in CASES}
    assert got == {case[:3]: case[3] for case in CASES}


@needs_nft
def test_an_exception_holds_from_its_beginning_until_its_end(net: Net, tmp_path: Path) -> None:
    text = POLICY.read_text("utf-8")
    for begin, end, allowed in (
        ("2026-03-01", "2099-12-31", True),
        ("2026-03-01", "2026-03-31", False),
        ("2099-03-01", "2099-03-31", False),
    ):
        changed = text.replace("from: 2026-03-01", f"from: {begin}").replace("to: 2026-03-31", f"to: {end}")
        net.load(tmp_path, nftables(planned(parse_policy(changed), DAY)).files["zonewatch.nft"])
        assert net.reaches(SCADA, PLC, 8443, allowed) is allowed, (begin, end)


@needs_nft
def test_a_flow_ends_with_the_day_that_it_expires_on(net: Net, tmp_path: Path) -> None:
    for day, allowed in (("2099-12-31", True), ("2026-03-31", False)):
        text = POLICY.read_text("utf-8").replace("{id: poll,", f"{{id: poll, expires: {day},")
        net.load(tmp_path, nftables(planned(parse_policy(text), DAY)).files["zonewatch.nft"])
        assert net.reaches(SCADA, PLC, 502, allowed) is allowed, day


@needs_nft
def test_a_shield_denies_at_its_asset_alone(net: Net, tmp_path: Path) -> None:
    net.run("router", "nft", "flush", "ruleset")
    net.load(tmp_path, exported(shield="plc-1"))
    for client, server, port, allowed in (
        (SCADA, PLC, 502, True),
        (OTHER, PLC, 502, False),
        (PC, PLC, 80, False),
        (PLC, PC, 80, False),
        (OTHER, NEW, 502, True),  # not this asset
        (PC, SCADA, 3389, True),
    ):
        assert net.reaches(client, server, port, allowed) is allowed, (client, server, port)


@needs_nft
def test_addresses_of_ip_version_6(net: Net, tmp_path: Path) -> None:
    text = POLICY.read_text("utf-8").replace("protocol: ntp", "protocol: tcp, ports: [123/tcp]")
    net.run("router", "nft", "flush", "ruleset")
    net.load(tmp_path, nftables(planned(parse_policy(text), DAY)).files["zonewatch.nft"])
    clock, other, client = ("supervision", "fd00:1::5"), ("supervision", "fd00:1::99"), ("control", "fd00:2::99")
    assert [net.reaches(client, server, 123, server is clock) for server in (clock, other)] == [True, False]
