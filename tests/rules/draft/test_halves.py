"""A policy drafted from the first half of a capture holds on the second, and on what follows it shows every attack.

`new_in_second_half.csv` lists what the second half brought that the first did not have, with its reason.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.rules.draft.halves import (
    BENIGN_MITM,
    DNP3,
    GIVEN,
    LEMAY,
    MITM,
    OPENICS,
    S7,
    Combination,
    Given,
    broken,
    combinations,
    cut,
    drafted,
    judged,
)
from zonewatch.rules.draft.text import new_file
from zonewatch.rules.policy.load import parse_policy
from zonewatch.rules.policy.model import Policy
from zonewatch.rules.violations import group_of

LISTED = Path(__file__).with_name("new_in_second_half.csv")
MOST_LINES = 1.2
"""Flows for each combination that they stand for."""

NOT_SEEN_THERE = frozenset(
    f"{name}.hmi.pcap"
    for name in (
        "20161215180642.ChangeUpperThreshold",
        "20161215185429.ChangeLowerThreshold",
        "20161215195722.ReactorOn_Flooding",
        "20161215230556.ConveyorBeltReset",
    )
)
"""Taken at the HMI: no packet of the attack passes there, only the polling that the draft knows."""


def needed(path: Path) -> Path:
    if not path.exists():
        pytest.skip("the public captures are not here")
    return path


def policy_of(path: Path) -> Policy:
    return parse_policy(new_file(drafted(path)))


Rows = dict[tuple[str, str, str, str], tuple[int, str]]
"""By client, server, protocol and use: how many combinations are not allowed, and why."""


def new_rows(policy: Policy, first: Path, second: Path) -> Rows:
    before = combinations(judged(first, policy))
    reviewed = set(broken(first, policy))
    found: defaultdict[tuple[str, str, str, str], list[Combination]] = defaultdict(list)
    for combination, row in combinations(judged(second, policy)).items():
        if row.decision.verdict == "violation":
            found[row.client.address, row.server.address, *group_of(row)[2:]].append(combination)
    return {group: (len(items), reason(group, items, before, reviewed)) for group, items in found.items()}


def reason(
    group: tuple[str, str, str, str],
    items: list[Combination],
    before: Mapping[Combination, object],
    reviewed: set[tuple[str, str, str, str]],
) -> str:
    if group in reviewed:
        return "on the review list"
    if any(item in before for item in items):
        return "seen before"
    if not {item[:3] for item in items} & {item[:3] for item in before}:
        return "first talk of these two"
    if not {item[:5] for item in items} & {item[:5] for item in before}:
        return "function not used before"
    return "objects not asked for before"


def listed(capture: str) -> Rows:
    with LISTED.open(encoding="utf-8") as file:
        return {
            (row["client"], row["server"], row["protocol"], row["use"]): (int(row["combinations"]), row["reason"])
            for row in csv.DictReader(file)
            if row["capture"] == capture
        }


@pytest.mark.parametrize("given", GIVEN, ids=lambda given: given.name)
def test_the_second_half_holds_but_for_what_is_new(tmp_path: Path, given: Given) -> None:
    first = cut(needed(given.path), tmp_path / "first.pcap", 0, given.end / 2)
    second = cut(given.path, tmp_path / "second.pcap", given.end / 2, given.end)
    made = drafted(first)
    assert len(made.lines) <= MOST_LINES * made.combinations
    assert new_rows(parse_policy(new_file(made)), first, second) == listed(given.name)


def test_nothing_that_was_seen_before_is_listed() -> None:
    with LISTED.open(encoding="utf-8") as file:
        reasons = {row["reason"] for row in csv.DictReader(file)}
    assert "seen before" not in reasons


@cache
def benign(name: str) -> Policy:
    if name == "lemay":
        return policy_of(needed(LEMAY / "characterization_modbus_6RTU_with_operate.pcap"))
    if name == "openics":  # the only capture of its network that does nothing but read
        return policy_of(needed(OPENICS / "EIP-ViewDeviceStatus.pcap"))
    if name == "s7comm":
        return policy_of(needed(next(given.path for given in GIVEN if given.name == "qut-s7comm")))
    with TemporaryDirectory() as folder:
        return policy_of(cut(needed(MITM), Path(folder) / "benign.pcap", 0, BENIGN_MITM))


@pytest.mark.parametrize(
    ("name", "attack"),
    [
        ("CnC_uploading_exe", ("192.168.1.101", "192.168.1.105", "tls", "traffic")),
        ("exploit_ms08_netapi", ("192.168.1.101", "192.168.1.105", "smb", "traffic")),
        ("exploit_ms08_netapi", ("192.168.1.101", "192.168.1.105", "tcp/4444", "traffic")),
    ],
)
def test_attacks_among_the_six_rtus(name: str, attack: tuple[str, str, str, str]) -> None:
    path = needed(LEMAY / f"{name}_modbus_6RTU_with_operate.pcap")
    assert attack in broken(path, benign("lemay"))


@pytest.mark.parametrize(
    ("path", "begin", "attack"),
    [
        (MITM, BENIGN_MITM, ("192.168.10.221", "192.168.10.222", "dnp3", "observe")),
        (
            DNP3 / "Attacks/attacks/training/frequent/attacker.pcap__attacker.pcap.gz",
            0.0105,
            ("192.168.10.66", "192.168.10.222", "dnp3", "control"),
        ),
    ],
    ids=["mitm", "attacks"],
)
def test_attacks_on_dnp3(tmp_path: Path, path: Path, begin: float, attack: tuple[str, str, str, str]) -> None:
    assert attack in broken(cut(needed(path), tmp_path / "attack.pcap", begin, 1), benign("dnp3"))


def test_attacks_on_s7comm() -> None:
    """In every capture of the attacker's and of the controller's side, the attacker's own commands are shown."""
    captures = sorted(needed(S7).glob("*/*.pcap"))
    silent = {path.name for path in captures if not broken(path, benign("s7comm"))}
    source = "20161215192146.ConveyorBeltOn_Flooding.hmi.pcap"  # what the draft was made from
    assert silent == NOT_SEEN_THERE | {source}
    for path in captures:
        if not path.name.endswith(".hmi.pcap"):
            assert ("10.10.10.66", "10.10.10.10", "s7comm", "control") in broken(path, benign("s7comm"))


@pytest.mark.parametrize(
    ("name", "server"),
    [
        ("ChangePortConfigurationAttempt", "192.168.10.121"),
        ("ControlProtocolChangeAttempt", "192.168.10.120"),
        ("FirmwareChange", "192.168.10.120"),
        ("FirmwareChangeFailure", "192.168.10.120"),
        ("RemoteModeChangeAttempt", "192.168.10.121"),
    ],
)
def test_attacks_on_ethernet_ip(name: str, server: str) -> None:
    """By who connects to whom: EtherNet/IP is not decoded."""
    path = needed(OPENICS / f"EIP-{name}.pcap")
    assert ("192.168.10.105", server, "enip", "traffic") in broken(path, benign("openics"))


def test_the_capture_of_the_upload_that_failed_holds_no_upload() -> None:
    path = needed(OPENICS / "EIP-SoftwareUploadFailure.pcap")
    assert broken(path, benign("openics")) == [("192.168.10.22", "192.168.10.255", "netbios-ns", "traffic")]
