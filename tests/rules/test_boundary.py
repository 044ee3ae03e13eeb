"""Hosts with a foot in two zones, segments that zones share, remote tools and services without need."""

from __future__ import annotations

from typing import Any

import pytest

from tests.inventory.network import Row, activity, claim, flow, seen, talk
from tests.rules.plant import ENGINEERING, HMI, INTERNET, LAPTOP, OFFICE_PC, PLC_1, PLC_3, POLICY, POLL, assess, of_rule
from zonewatch.rules.findings import Finding

HMI_MAC, ENG_MAC, PLC_MAC, ROUTER_MAC = (f"00:80:f4:00:00:{number:02x}" for number in (15, 20, 11, 1))


def arp(sender: str, target: str, **more: Any) -> Row:
    return activity(sender, target, "arp", "request", "discover", status="one_way", frame=4,
                    fields={"arp.sender.ip": sender, "arp.target.ip": target}, **more)  # fmt: skip


def one(findings: list[Finding]) -> Finding:
    assert len(findings) == 1, [finding.title for finding in findings]
    return findings[0]


def announced(address: str, mac: str, action: str = "request") -> Row:
    fields = {"arp.sender.ip": address, "arp.sender.mac": mac, "arp.target.ip": "10.0.0.1"}
    return activity(address, "", "arp", action, "discover", status="one_way", fields=fields)


def test_one_mac_address_with_addresses_in_two_zones_is_dual_homed() -> None:
    rows = [announced(HMI, HMI_MAC), announced("10.20.50.15", HMI_MAC)]
    seen_at = [seen(HMI, HMI_MAC), seen("10.20.50.15", HMI_MAC)]
    finding = one(of_rule(assess([POLL], activities=rows, seen=seen_at), "exposure.dual_homed"))
    assert (finding.severity, finding.zones) == ("high", ("office", "supervision"))
    assert "10.20.50.15 in zone office" in finding.description
    assert finding.evidence


def test_a_declared_host_with_addresses_in_two_zones_is_dual_homed() -> None:
    text = POLICY.replace(
        "{id: hmi-1, zone: supervision, addresses: [10.20.1.15]", "{id: hmi-1, addresses: [10.20.1.15, 10.20.50.15]"
    )
    finding = one(
        of_rule(assess([POLL], seen=[seen(HMI, HMI_MAC), seen("10.20.50.15", HMI_MAC)], by=text), "exposure.dual_homed")
    )
    assert finding.assets == ("hmi-1",)


@pytest.mark.parametrize(
    "addresses",
    [
        [(HMI, HMI_MAC), ("10.20.1.16", HMI_MAC)],  # two addresses, one zone
        [(HMI, HMI_MAC), (OFFICE_PC, ENG_MAC)],
        [(HMI, HMI_MAC), ("fe80::1", HMI_MAC)],
    ],
)
def test_who_is_in_one_zone_is_not_dual_homed(addresses: list[tuple[str, str]]) -> None:
    rows, asked = [seen(*row) for row in addresses], [announced(*row) for row in addresses]
    assert of_rule(assess([POLL], seen=rows, activities=asked), "exposure.dual_homed") == []


def test_a_declared_router_is_meant_to_be_in_several_zones() -> None:
    text = POLICY.replace(
        "assets:\n", "assets:\n  - {id: fw-1, zone: supervision, addresses: [10.20.1.1, 10.20.50.1], role: firewall}\n"
    )
    rows = [seen("10.20.1.1", ROUTER_MAC), seen("10.20.50.1", ROUTER_MAC)]
    assert of_rule(assess([POLL], seen=rows, by=text), "exposure.dual_homed") == []


def test_one_host_name_in_two_zones() -> None:
    rows = [claim(address, "hostname", "LT-7", protocol="dhcp") for address in ("10.20.1.70", "10.20.50.70")]
    flows = [flow("10.20.1.70", HMI, 445, "smb"), flow("10.20.50.70", OFFICE_PC, 445, "smb")]
    finding = one(of_rule(assess([POLL], flows, claims=rows), "exposure.dual_homed"))
    assert "both state the name lt-7" in finding.reasons


SEGMENT = [seen(HMI, HMI_MAC), seen(PLC_1, PLC_MAC)]
SPEAK = [announced(HMI, HMI_MAC), announced(PLC_1, PLC_MAC)]


@pytest.mark.parametrize(
    ("given", "sign"),
    [
        ({"activities": [arp(HMI, PLC_1)]}, "ARP of hmi-1"),
        (
            {"flows": [flow(HMI, PLC_1, 502, "modbus", client_mac=HMI_MAC, server_mac=PLC_MAC)], "activities": SPEAK},
            "straight to",
        ),
        ({"seen": [seen(HMI, HMI_MAC, vlan=5), seen(PLC_1, PLC_MAC, vlan=5)], "activities": SPEAK}, "with tag 5"),
    ],
)
def test_zones_on_one_segment(given: dict[str, Any], sign: str) -> None:
    finding = one(of_rule(assess([POLL], **{"seen": SEGMENT, **given}), "exposure.shared_segment"))
    assert (finding.severity, finding.zones) == ("medium", ("filtration", "supervision"))
    assert sign in finding.description
    assert finding.evidence


@pytest.mark.parametrize(
    "given",
    [
        {"activities": [arp(HMI, ENGINEERING)]},  # in one zone
        {"activities": [arp(HMI, "10.20.11.99")]},  # nobody is there
        {"flows": [flow(HMI, PLC_1, 502, "modbus", client_mac=HMI_MAC, server_mac=ROUTER_MAC)], "activities": SPEAK},
        {"flows": [flow(HMI, PLC_1, 502, "modbus", client_mac=HMI_MAC, server_mac=PLC_MAC)]},  # perhaps routers' own
        {"seen": [seen(HMI, HMI_MAC, vlan=5), seen(PLC_1, PLC_MAC, vlan=6)], "activities": SPEAK},
    ],
)
def test_zones_apart(given: dict[str, Any]) -> None:
    assert of_rule(assess([POLL], **{"seen": SEGMENT, **given}), "exposure.shared_segment") == []


@pytest.mark.parametrize(
    ("flows", "activities", "tool"),
    [
        ([flow(ENGINEERING, INTERNET, 5938, "teamviewer")], [], "teamviewer"),
        ([flow(ENGINEERING, INTERNET, 1194, "openvpn", "two_way", transport="udp")], [], "openvpn"),
        ([flow(ENGINEERING, INTERNET, 443, "tls")], [activity(ENGINEERING, INTERNET, "tls", "handshake", fields={
            "tls.client.server_name": "relay-7.net.anydesk.com"})], "anydesk.com"),
    ],
)  # fmt: skip
def test_remote_support_on_the_process_side(flows: list[Row], activities: list[Row], tool: str) -> None:
    finding = one(of_rule(assess([POLL], flows, activities=activities), "exposure.remote_support"))
    assert (finding.severity, finding.assets, finding.protocol) == ("high", ("eng-1",), tool)
    assert finding.evidence


@pytest.mark.parametrize(
    ("flows", "activities"),
    [
        ([flow(OFFICE_PC, INTERNET, 5938, "teamviewer")], []),
        ([flow(ENGINEERING, INTERNET, 5938, "teamviewer", "attempted")], []),
        ([flow(ENGINEERING, "10.20.50.9", 1194, "openvpn")], []),
        ([flow(ENGINEERING, INTERNET, 443, "tls")], [activity(ENGINEERING, INTERNET, "tls", "handshake", fields={
            "tls.client.server_name": "notanydesk.com"})]),
    ],
)  # fmt: skip
def test_no_remote_support(flows: list[Row], activities: list[Row]) -> None:
    assert of_rule(assess([POLL], flows, activities=activities), "exposure.remote_support") == []


@pytest.mark.parametrize(
    ("client", "server", "service", "state", "severity"),
    [
        (HMI, PLC_1, "telnet", "closed", "high"),
        (INTERNET, PLC_1, "telnet", "closed", "critical"),
        (HMI, OFFICE_PC, "rlogin", "closed", "medium"),
        (HMI, PLC_1, "telnet", "refused", ""),
        (HMI, PLC_1, "ssh", "closed", ""),
    ],
)
def test_consoles_in_the_clear(client: str, server: str, service: str, state: str, severity: str) -> None:
    findings = of_rule(assess([POLL], [flow(client, server, 23, service, state)]), "exposure.cleartext_console")
    assert [finding.severity for finding in findings] == [severity] * bool(severity)


@pytest.mark.parametrize(
    ("server", "service", "more", "severity"),
    [
        (PLC_1, "ftp", {}, "medium"),
        (PLC_1, "http", {}, "low"),
        (PLC_1, "snmp", {"transport": "udp"}, ""),
        (PLC_1, "https", {}, ""),
        (PLC_1, "ftp", {"basis": "port"}, ""),
        (PLC_1, "ftp", {"state": "refused"}, ""),
        (HMI, "http", {}, ""),
        (HMI, "telnet", {}, "medium"),
        (OFFICE_PC, "ftp", {}, ""),
    ],
)
def test_services_without_need(server: str, service: str, more: dict[str, Any], severity: str) -> None:
    findings = of_rule(assess([POLL], [flow(ENGINEERING, server, 21, service, **more)]), "exposure.needless_service")
    assert [finding.severity for finding in findings] == [severity] * bool(severity)


JUMP = "10.20.50.20"
WITH_JUMP_HOST = POLICY.replace(
    "conduits:\n",
    "  - {id: jump-1, zone: office, addresses: [10.20.50.20], role: jump_host}\n"
    "remote_access:\n  - {id: ra1, entry_zone: office, jump_host: jump-1, target_zone: supervision, protocols: [rdp]}\n"
    "conduits:\n",
)


@pytest.mark.parametrize(
    ("client", "text", "severity", "reason"),
    [
        (OFFICE_PC, WITH_JUMP_HOST, "high", "past the jump host (jump-1)"),
        (JUMP, WITH_JUMP_HOST, "medium", "remote access to a host of the process side"),
        (OFFICE_PC, POLICY, "medium", "remote access to a host of the process side"),
        (LAPTOP, WITH_JUMP_HOST, "high", "the client is in no list of known assets"),
    ],
)
def test_remote_access_past_the_jump_host(client: str, text: str, severity: str, reason: str) -> None:
    assessment = assess([POLL], [flow(client, ENGINEERING, 3389, "rdp")], by=text)
    finding = one([item for item in assessment.findings if item.protocol == "rdp" and "eng-1" in item.assets])
    assert finding.severity == severity
    assert any(text.startswith(reason) for text in finding.reasons)


def test_plain_polling_is_no_exposure() -> None:
    assessment = assess([POLL, talk(HMI, PLC_3)], seen=SEGMENT)
    assert {finding.rule for finding in assessment.findings} <= {"exposure.no_authentication", "policy.unused"}
