"""Each weakness with what shows it and what does not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.inventory.network import activity, flow
from tests.rules.plant import ENGINEERING, HMI, INTERNET, OFFICE_PC, PLC_1, POLL, assess, of_rule
from zonewatch.rules.exposure.weaknesses import WEAKNESSES
from zonewatch.rules.findings import Finding

SECOND = 1_000_000_000
IN_2026 = 1_772_438_400 * SECOND  # 2 March 2026, 08:00 UTC
PASSWORD = {"credential.kind": "password", "credential.default": "false"}
KNOWN = {"credential.kind": "password", "credential.default": "true"}
LOGIN: dict[str, Any] = {"action": "login", "operation": "authenticate"}


def found(rule: str, server: str = PLC_1, client: str = HMI, **row: Any) -> list[Finding]:
    protocol = row.pop("protocol")
    rows = [activity(client, server, protocol, row.pop("action", "connect"), row.pop("operation", "session"), **row)]
    return of_rule(assess([POLL], activities=rows), f"exposure.{rule}")


@pytest.mark.parametrize(
    ("rule", "row", "severity", "word"),
    [
        ("default_credential", {"protocol": "ftp", **LOGIN, "fields": {**KNOWN, "user.name": "admin"}}, "critical",
         "ftp login as admin"),
        ("default_credential", {"protocol": "http", "status": "error", "fields": KNOWN}, "medium", "refused"),
        ("cleartext_login", {"protocol": "ldap", **LOGIN, "fields": {**PASSWORD, "user.name": "eva"}}, "high",
         "ldap login as eva"),
        ("snmp_community", {"protocol": "snmp", "action": "get", "operation": "read",
                            "fields": {"snmp.version": "2c", "snmp.community_class": "custom"}}, "medium", "SNMP 2c"),
        ("snmp_community", {"protocol": "snmp", "action": "get", "operation": "read",
                            "fields": {"snmp.version": "1", "snmp.community_class": "public"}}, "high", "'public'"),
        ("snmp_community", {"protocol": "snmp", "action": "set", "operation": "configure",
                            "fields": {"snmp.version": "1", "snmp.community_class": "custom"}}, "high", "set"),
        ("smb1", {"protocol": "smb", "fields": {"smb.dialect": "NT LM 0.12"}}, "high", "NT LM 0.12"),
        ("smb1", {"protocol": "smb", "fields": {"smb.dialect": "LANMAN1.0"}}, "high", "LANMAN1.0"),
        ("old_tls", {"protocol": "tls", "fields": {"tls.version": "1.0"}}, "medium", "TLS 1.0"),
        ("old_tls", {"protocol": "rdp", "fields": {"tls.version": "SSL 3.0"}}, "medium", "SSL 3.0"),
        ("old_tls", {"protocol": "tls", "fields": {"tls.version": "1.2", "tls.cipher": "TLS_RSA_WITH_RC4_128_SHA"}},
         "medium", "RC4"),
        ("old_tls", {"protocol": "tls", "fields": {"tls.cipher": "TLS_RSA_WITH_3DES_EDE_CBC_SHA"}}, "medium", "3DES"),
        ("certificate", {"protocol": "tls", "first_time": IN_2026, "last_time": IN_2026, "fields": {
            "tls.server.not_before": "2020-01-01T00:00:00Z", "tls.server.not_after": "2021-01-01T00:00:00Z"}},
         "medium", "expired on 2021-01-01"),
        ("certificate", {"protocol": "tls", "first_time": IN_2026, "last_time": IN_2026, "fields": {
            "tls.server.not_before": "2030-01-01T00:00:00Z", "tls.server.not_after": "2031-01-01T00:00:00Z"}},
         "low", "valid from 2030-01-01 only"),
        ("certificate", {"protocol": "tls", "first_time": IN_2026, "last_time": IN_2026, "fields": {
            "tls.server.not_before": "2020-01-01T00:00:00Z", "tls.server.not_after": "2050-01-01T00:00:00Z"}},
         "low", "valid for 30 years"),
        ("certificate", {"protocol": "tls", "fields": {"tls.server.self_signed": "true"}}, "low", "signed by itself"),
        ("old_ssh", {"protocol": "ssh", "fields": {"ssh.version": "1.5"}}, "medium", "version 1.5"),
        ("old_ssh", {"protocol": "ssh", "fields": {"ssh.version": "1.99"}}, "low", "version 1.99"),
        ("old_ntlm", {"protocol": "smb", "fields": {"ntlm.version": "NTLMv1", "user.name": "eva"}}, "medium", "eva"),
        ("open_screen", {"protocol": "vnc", "fields": {"vnc.security_type": "none"}}, "critical", "VNC"),
        ("rdp_without_nla", {"protocol": "rdp", "fields": {"rdp.security_protocol": "standard"}}, "medium", "own"),
        ("rdp_without_nla", {"protocol": "rdp", "fields": {"rdp.security_protocol": "tls"}}, "medium", "CredSSP"),
    ],
)  # fmt: skip
def test_a_weakness_is_told_with_its_frame(rule: str, row: dict[str, Any], severity: str, word: str) -> None:
    (finding,) = found(rule, frame=9, **row)
    assert (finding.severity, finding.assets) == (severity, ("plc-1", "hmi-1"))
    assert word in finding.description + " ".join(finding.reasons)
    assert [item.frame for item in finding.evidence] == [9]
    assert finding.remedy
    assert finding.technique


@pytest.mark.parametrize(
    ("rule", "row"),
    [
        ("default_credential", {"protocol": "ftp", **LOGIN, "fields": PASSWORD}),
        ("default_credential", {"protocol": "snmp", "fields": {"credential.kind": "community",
                                                              "credential.default": "true"}}),
        ("cleartext_login", {"protocol": "ftp", **LOGIN, "fields": KNOWN}),
        ("cleartext_login", {"protocol": "ftp", **LOGIN, "fields": {**PASSWORD, "user.name": "anonymous"}}),
        ("cleartext_login", {"protocol": "http", "fields": {"credential.kind": "digest"}}),
        ("snmp_community", {"protocol": "snmp", "fields": {"snmp.version": "3"}}),
        ("smb1", {"protocol": "smb", "fields": {"smb.dialect": "3.1.1"}}),
        ("smb1", {"protocol": "smb", "status": "error", "fields": {"smb.dialect": "NT LM 0.12"}}),
        ("old_tls", {"protocol": "tls", "fields": {"tls.version": "1.2",
                                                   "tls.cipher": "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"}}),
        ("old_tls", {"protocol": "tls", "status": "error", "fields": {"tls.version": "1.0"}}),
        ("certificate", {"protocol": "tls", "first_time": IN_2026, "last_time": IN_2026, "fields": {
            "tls.server.not_before": "2025-06-01T00:00:00Z", "tls.server.not_after": "2026-06-01T00:00:00Z"}}),
        ("certificate", {"protocol": "tls", "fields": {"tls.server.not_after": "some day"}}),
        ("old_ssh", {"protocol": "ssh", "fields": {"ssh.version": "2.0"}}),
        ("old_ntlm", {"protocol": "smb", "fields": {"ntlm.version": "NTLMv2"}}),
        ("open_screen", {"protocol": "vnc", "fields": {"vnc.security_type": "vnc"}}),
        ("rdp_without_nla", {"protocol": "rdp", "fields": {"rdp.security_protocol": "credssp"}}),
        ("rdp_without_nla", {"protocol": "rdp", "status": "error", "fields": {"rdp.security_protocol": "standard"}}),
    ],
)  # fmt: skip
def test_what_is_no_weakness_is_not_told(rule: str, row: dict[str, Any]) -> None:
    assert found(rule, **row) == []


def test_every_weakness_has_a_row_above() -> None:
    told = test_a_weakness_is_told_with_its_frame.pytestmark[0].args[1]
    assert {f"exposure.{row[0]}" for row in told} == {detector.id for detector in WEAKNESSES}


def test_servers_of_the_office_are_told_together_and_less_severely() -> None:
    rows = [
        activity(HMI, f"10.20.50.{number}", "smb", "negotiate", fields={"smb.dialect": "NT LM 0.12"})
        for number in (5, 6, 7)
    ]
    finding, = of_rule(assess([POLL], activities=rows, flows=[
        flow(HMI, f"10.20.50.{number}", 445, "smb") for number in (5, 6, 7)]), "exposure.smb1")  # fmt: skip
    assert (finding.severity, finding.zones) == ("medium", ("office",))
    assert "3 servers in zone office" in finding.title


def test_reasons_are_those_of_the_severity() -> None:
    rows = [
        activity(HMI, PLC_1, "http", "login", operation="authenticate", fields=KNOWN, status=status)
        for status in ("error", "ok")
    ]
    finding, = of_rule(assess([POLL], activities=rows), "exposure.default_credential")  # fmt: skip
    assert (finding.severity, finding.reasons) == ("critical", ("the server let it in",))
    assert "refused" in finding.description


def test_servers_of_the_internet_are_somebody_elses() -> None:
    assert found("old_tls", server=INTERNET, client=OFFICE_PC, protocol="tls", fields={"tls.version": "1.0"}) == []


def test_use_from_the_internet_makes_it_worse() -> None:
    finding, = found(
        "cleartext_login", client=INTERNET, server=ENGINEERING, protocol="ftp", **LOGIN, fields=PASSWORD
    )  # fmt: skip
    assert "used from the internet" in finding.reasons
