"""What a conduit asks of its traffic: direction, encryption, authentication, judged by what the tables show."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from tests.inventory.network import Row, activity, flow, network, talk
from tests.rules.plant import AS_OF, HMI, OFFICE_PC, PLC_1, assess, of_rule, policy
from tests.tables import rows
from zonewatch.dissectors import schemas
from zonewatch.inventory.build import build
from zonewatch.rules.judge import Judgement, judge
from zonewatch.rules.policy.declared import declared_assets
from zonewatch.rules.replay import recorded_rows

POLICY = """\
policy_version: 1
suc: {id: riverside}
zones:
  - {id: office, purdue: 4, members: {subnets: [10.20.50.0/24]}}
  - {id: supervision, purdue: 2, members: {subnets: [10.20.1.0/24]}}
  - {id: filtration, purdue: 1, members: {subnets: [10.20.11.0/24]}}
assets:
  - {id: hmi-1, zone: supervision, addresses: [10.20.1.15]}
  - {id: plc-1, zone: filtration, addresses: [10.20.11.11]}
conduits:
  - id: c
    from: supervision
    to: filtration
    ASKED
    flows: [{id: f, protocol: any}]
"""

NOTHING = rows(schemas.EVENTS, ())


def asking(text: str) -> str:
    return POLICY.replace("ASKED", text)


def verdicts(asked: str, talks: Iterable[Row] = (), flows: Iterable[Row] = (), did: Iterable[Row] = ()) -> Judgement:
    made = policy(asking(asked))
    tables = network(talks=tuple(talks), flows=tuple(flows), activities=tuple(did))
    inventory = build(tables, declared_assets(made))
    return judge(made, inventory, tables.aggregates, NOTHING, AS_OF, flows=tables.flows)


def outcome(judgement: Judgement) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(row.decision.verdict, row.decision.reason, row.decision.differs) for row in judgement.rows]


def only(judgement: Judgement, verdict: str, reason: str, aspect: str) -> None:
    """All rows have this verdict, for this reason; the reason of an allowed row is empty."""
    found = outcome(judgement)
    assert found
    expected = (
        ("allowed", "", ()) if verdict == "allowed" else (verdict, f"{reason} (asked for by conduit c)", (aspect,))
    )
    assert set(found) == {expected}


READ = talk(HMI, PLC_1)
CLOSED = flow(HMI, PLC_1, 502, "modbus")
ENCRYPT = "encryption: {required: true}"
PROVE = "authentication: {required: true}"


def did(protocol: str, action: str, port: int, operation: str = "session", **fields: str) -> Row:
    named = {name.replace("__", "."): value for name, value in fields.items()}
    return activity(HMI, PLC_1, protocol, action, operation, server_port=port, fields=named)


@pytest.mark.parametrize(
    ("traffic", "verdict", "reason"),
    [
        (flow(HMI, PLC_1, 443, "https"), "allowed", ""),
        (flow(HMI, PLC_1, 22, "ssh"), "allowed", ""),
        (flow(HMI, PLC_1, 80, "http"), "violation", "encryption: http was read"),
        (flow(HMI, PLC_1, 23, "telnet", basis="port"), "cannot_conclude", "cannot tell: telnet is named by its port"),
        (flow(HMI, PLC_1, 443, "https", basis="port"), "cannot_conclude", "cannot tell: https is named by its port"),
        (flow(HMI, PLC_1, 4840, "opcua"), "cannot_conclude", "cannot tell if opcua is encrypted"),
        (flow(HMI, PLC_1, 7777), "cannot_conclude", "cannot tell if tcp/7777 is encrypted"),
        (flow(HMI, PLC_1, 80, "http", "refused"), "allowed", ""),
        (flow(HMI, PLC_1, 80, "http", "attempted"), "allowed", ""),
    ],
)
def test_encryption_by_the_service(traffic: Row, verdict: str, reason: str) -> None:
    ((found, told, _),) = outcome(verdicts(ENCRYPT, flows=[traffic]))
    assert (found, reason in told) == (verdict, True), told


@pytest.mark.parametrize(
    ("service", "port", "done", "verdict", "reason"),
    [
        ("smtp", 25, [did("smtp", "hello", 25), did("smtp", "start_tls", 25)], "allowed", ""),
        (
            "smtp",
            25,
            [did("smtp", "start_tls", 25), did("smtp", "login", 25, "authenticate")],
            "violation",
            "encryption: smtp was read",
        ),
        ("rdp", 3389, [did("rdp", "connect", 3389, rdp__security_protocol="credssp")], "allowed", ""),
        (
            "rdp",
            3389,
            [did("rdp", "connect", 3389, rdp__security_protocol="standard")],
            "cannot_conclude",
            "encryption: cannot tell if rdp is encrypted",
        ),
        (
            "vnc",
            5900,
            [did("vnc", "connect", 5900, "authenticate", vnc__security_type="vnc")],
            "violation",
            "encryption: vnc with security vnc is readable",
        ),
        ("vnc", 5900, [did("vnc", "connect", 5900, "authenticate", vnc__security_type="tls")], "allowed", ""),
        (
            "https",
            443,
            [did("tls", "handshake", 443, tls__version="1.2", tls__cipher="TLS_RSA_WITH_NULL_SHA")],
            "violation",
            "encryption: cipher TLS_RSA_WITH_NULL_SHA encrypts nothing",
        ),
        ("opcua", 4840, [did("tls", "handshake", 4840, tls__version="1.2")], "allowed", ""),
        (
            "mssql",
            1433,
            [did("mssql", "prelogin", 1433, db__encryption="not_supported")],
            "violation",
            "encryption: mssql without encryption",
        ),
    ],
)
def test_encryption_by_what_was_done(service: str, port: int, done: list[Row], verdict: str, reason: str) -> None:
    judged = verdicts(ENCRYPT, flows=[flow(HMI, PLC_1, port, service)], did=done)
    only(judged, verdict, reason, "encryption")


def test_messages_that_were_decoded_are_not_encrypted() -> None:
    only(verdicts(ENCRYPT, [READ], [CLOSED]), "violation", "encryption: modbus was read", "encryption")
    only(verdicts("sl_t: 2", [READ], [CLOSED]), "allowed", "", "")


@pytest.mark.parametrize(
    ("least", "version", "verdict", "reason"),
    [
        ("TLS 1.2", "1.2", "allowed", ""),
        ("TLS 1.2", "1.3", "allowed", ""),
        ("TLS 1.2", "1.0", "violation", "encryption: TLS 1.0, at least TLS 1.2 is asked for"),
        ("TLS 1.0", "SSL 3.0", "violation", "encryption: SSL 3.0, at least TLS 1.0 is asked for"),
        ("tls 1.2", "", "cannot_conclude", "encryption: cannot tell the version of https"),
        ("SSH 2.0", "1.0", "allowed", ""),  # says nothing of TLS
    ],
)
def test_the_least_version(least: str, version: str, verdict: str, reason: str) -> None:
    done = [did("tls", "handshake", 443, tls__version=version)] if version else []
    judged = verdicts(f"encryption: {{minimum: {least}}}", flows=[flow(HMI, PLC_1, 443, "https")], did=done)
    only(judged, verdict, reason, "encryption")


@pytest.mark.parametrize(
    ("version", "verdict", "reason"),
    [("2.0", "allowed", ""), ("1.5", "violation", "encryption: SSH 1.5, at least SSH 2 is asked for")],
)
def test_the_least_version_of_ssh(version: str, verdict: str, reason: str) -> None:
    done = [did("ssh", "connect", 22, ssh__version=version)]
    judged = verdicts("encryption: {minimum: SSH 2}", flows=[flow(HMI, PLC_1, 22, "ssh")], did=done)
    only(judged, verdict, reason, "encryption")


def test_what_is_not_judged_is_told() -> None:
    text = "encryption: {minimum: AES-128}\n    authentication: {required: true, compensating: doc-7}"
    judged = verdicts(text, [READ], [CLOSED])
    assert {row.decision.verdict for row in judged.rows} == {"allowed"}
    assert judged.limits == (
        "encryption.minimum 'AES-128' of conduit c is no version of TLS or SSH: not judged",
        "authentication in conduit c was not judged: doc-7 stands in for it",
    )


@pytest.mark.parametrize(
    ("named", "verdict"),
    [
        ({"function_name": "encrypted", "operation": "unknown", "function": None}, "allowed"),
        ({"function_name": "hello", "operation": "session", "function": None}, "allowed"),
        ({"function_name": "open_secure_channel", "operation": "session", "function": 446}, "allowed"),
        ({"function_name": "get_endpoints", "operation": "discover", "function": 428}, "allowed"),
        ({"function_name": "activate_session", "operation": "authenticate", "function": 467}, "violation"),
        ({"function_name": "read", "operation": "read", "function": 631}, "violation"),
    ],
)
def test_encrypted_messages_of_opcua_and_what_opens_their_channel(named: dict[str, Any], verdict: str) -> None:
    judged = verdicts(ENCRYPT, [{**talk(HMI, PLC_1, protocol="opcua"), **named}])
    only(judged, verdict, "encryption: opcua was read", "encryption")


def test_authentication_of_control_protocols_is_the_posture_of_the_server() -> None:
    obeyed = talk(HMI, PLC_1, protocol="dnp3")
    asked = talk(HMI, PLC_1, protocol="dnp3", status="no_response")
    login = talk(HMI, PLC_1, "authenticate", protocol="dnp3", frame=2)
    refused = {**login, "status": "error"}
    only(verdicts(PROVE, [obeyed]), "violation", "authentication: plc-1 obeys dnp3 without any", "authentication")
    only(verdicts(PROVE, [obeyed, login]), "allowed", "", "")
    unknown = "authentication: cannot tell: that of dnp3 at plc-1"
    only(verdicts(PROVE, [asked]), "cannot_conclude", f"{unknown} is not known", "authentication")
    offered = f"{unknown} is offered, no positive answer was seen"
    only(verdicts(PROVE, [obeyed, refused]), "cannot_conclude", offered, "authentication")


@pytest.mark.parametrize(
    ("service", "port", "done", "verdict", "reason"),
    [
        ("ftp", 21, [did("ftp", "login", 21, "authenticate", user__name="eva")], "allowed", ""),
        (
            "ftp",
            21,
            [
                did("ftp", "login", 21, "authenticate", user__name="eva"),
                did("ftp", "login", 21, "authenticate", user__name="anonymous"),
            ],
            "violation",
            "authentication: ftp as anonymous",
        ),
        (
            "vnc",
            5900,
            [did("vnc", "connect", 5900, "authenticate", vnc__security_type="none")],
            "violation",
            "authentication: vnc without any",
        ),
        ("rdp", 3389, [did("rdp", "connect", 3389, rdp__security_protocol="credssp")], "allowed", ""),
        (
            "rdp",
            3389,
            [did("rdp", "connect", 3389, rdp__security_protocol="tls")],
            "cannot_conclude",
            "authentication: cannot tell if rdp asks who its clients are",
        ),
        ("https", 443, [did("tls", "handshake", 443, tls__client__x509__subject="CN=hmi-1")], "allowed", ""),
        ("ssh", 22, [], "cannot_conclude", "authentication: cannot tell if ssh asks who its clients are"),
        ("syslog", 514, [], "violation", "authentication: syslog has none"),
        ("wireguard", 51820, [], "allowed", ""),
    ],
)
def test_authentication_of_services(service: str, port: int, done: list[Row], verdict: str, reason: str) -> None:
    judged = verdicts(PROVE, flows=[flow(HMI, PLC_1, port, service)], did=done)
    only(judged, verdict, reason, "authentication")


def test_a_refused_login_shows_nothing() -> None:
    login = {**did("ftp", "login", 21, "authenticate", user__name="anonymous"), "status": "error"}
    judged = verdicts(PROVE, flows=[flow(HMI, PLC_1, 21, "ftp")], did=[login])
    only(judged, "cannot_conclude", "authentication: cannot tell if ftp asks who its clients are", "authentication")


@pytest.mark.parametrize("asked", ["direction: from-to-only", "kind: one-way"])
@pytest.mark.parametrize(
    ("traffic", "verdict"),
    [
        (flow(HMI, PLC_1, 514, "syslog", "one_way", transport="udp"), "allowed"),
        (flow(HMI, PLC_1, 123, "ntp", "two_way", transport="udp"), "violation"),
        (flow(HMI, PLC_1, 443, "https", "attempted"), "allowed"),
        (flow(HMI, PLC_1, 443, "https", "refused"), "violation"),
        (flow(HMI, PLC_1, 443, "https", "closed"), "violation"),
    ],
)
def test_nothing_comes_back_where_one_direction_is_asked_for(asked: str, traffic: Row, verdict: str) -> None:
    only(verdicts(asked, flows=[traffic]), verdict, "direction: packets came back from the server", "direction")


def test_messages_in_one_direction() -> None:
    silent = talk(HMI, PLC_1, "write", status="one_way", transport="udp")
    one_way = flow(HMI, PLC_1, 502, "modbus", "one_way", transport="udp")
    only(verdicts("direction: from-to-only", [silent], [one_way]), "allowed", "", "")
    answered = verdicts("direction: from-to-only", [READ], [CLOSED])
    only(answered, "violation", "direction: packets came back from the server", "direction")


@pytest.mark.parametrize(
    ("initiator", "opened", "verdict", "reason"),
    [
        ("supervision", flow(HMI, PLC_1, 502, "modbus"), "allowed", ""),
        (
            "filtration",
            flow(HMI, PLC_1, 502, "modbus"),
            "violation",
            "direction: the connection was opened from supervision, not filtration",
        ),
        (
            "supervision",
            flow(PLC_1, HMI, 502, "modbus", client_port=502),
            "violation",
            "direction: the connection was opened from filtration, not supervision",
        ),
        ("filtration", flow(PLC_1, HMI, 20000, "modbus", client_port=502), "allowed", ""),
        ("filtration", flow(HMI, OFFICE_PC, 80), "cannot_conclude", "direction: cannot tell who opened the connection"),
    ],
)
def test_who_opens_the_connection_where_it_is_said(initiator: str, opened: Row, verdict: str, reason: str) -> None:
    judged = verdicts(f"initiator: {initiator}", [READ], [opened])
    (row,) = [row for row in judged.rows if row.seen.operation]
    told = f"{reason} (asked for by conduit c)" if reason else ""
    assert (row.decision.verdict, row.decision.reason) == (verdict, told)


def test_a_record_does_not_say_who_opened_a_connection() -> None:
    made = policy(asking("initiator: supervision"))
    inventory = build(network(talks=[READ], flows=[CLOSED]), declared_assets(made))
    (row,) = recorded_rows(made, inventory, NOTHING, AS_OF)
    assert row.decision.verdict == "cannot_conclude"
    assert "cannot tell who opened the connection: the record does not say" in row.decision.reason


@pytest.mark.parametrize(
    ("fields", "encryption", "authentication"),
    [
        ({"snmp.version": "2c"}, "snmp 2c was read", "snmp 2c asks for a community only"),
        (
            {"snmp.version": "3", "snmp.security_level": "noAuthNoPriv"},
            "snmp 3 was read",
            "snmp 3 without authentication",
        ),
        ({"snmp.version": "3", "snmp.security_level": "authNoPriv"}, "snmp 3 was read", ""),
        ({"snmp.version": "3", "snmp.security_level": "authPriv"}, "", ""),
    ],
)
def test_reading_by_snmp(fields: dict[str, str], encryption: str, authentication: str) -> None:
    seen = flow(HMI, PLC_1, 161, "snmp", "two_way", transport="udp")
    done = activity(HMI, PLC_1, "snmp", "get", "read", server_port=161, transport="udp", fields=fields)
    for asked, lacking in ((ENCRYPT, encryption), (PROVE, authentication)):
        assessment = assess(flows=[seen], activities=[done], by=asking(asked))
        (row,) = assessment.verdicts
        assert row.decision.verdict == ("violation" if lacking else "allowed")
        assert lacking in row.decision.reason
    # The inventory keeps no reads.
    unknown = verdicts(ENCRYPT, flows=[seen], did=[done])
    only(unknown, "cannot_conclude", "encryption: cannot tell if snmp is encrypted", "encryption")


def test_what_is_lacking_comes_before_what_cannot_be_told() -> None:
    judged = verdicts(f"{ENCRYPT}\n    {PROVE}", flows=[flow(HMI, PLC_1, 80, "http")])
    only(judged, "violation", "encryption: http was read", "encryption")
    both = verdicts(f"{ENCRYPT}\n    {PROVE}", [READ], [CLOSED])
    (row,) = both.rows
    assert row.decision.reason.startswith("encryption: modbus was read; authentication: plc-1 obeys modbus without any")
    assert row.decision.differs == ("encryption", "authentication")


def test_the_finding_asks_for_no_further_flow() -> None:
    written = talk(HMI, PLC_1, "write", frame=3)
    assessment = assess([READ, written], [CLOSED, flow(HMI, PLC_1, 7777)], by=asking(ENCRYPT))
    (finding,) = of_rule(assessment, "policy.violation")
    assert dict(finding.identity) == {"conduit": "c", "flow": "f", "limit": "encryption"}
    assert finding.severity == "high"
    assert finding.reasons[0] == "not as conduit c asks: encryption"
    assert "encryption: modbus was read" in finding.description
    assert "change what conduit c asks for" in finding.remedy
    assert finding.suggestion == ""
    assert not assessment.unused  # it was used
    (undecided,) = of_rule(assessment, "policy.cannot_conclude")
    assert "encryption: cannot tell if tcp/7777 is encrypted" in undecided.description
