"""CEF, LEEF, RFC 5424 and OCSF: vectors by hand, and any text in every place."""

from __future__ import annotations

import json
import re
from importlib import import_module
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

from tests.sensor.shipping.outbox import alert, row, sample_alerts
from zonewatch.reports import ecs
from zonewatch.sensor.shipping.formats import FORMS, SHORTENED, Form, render
from zonewatch.sensor.shipping.formats.cef import cef, extension, header
from zonewatch.sensor.shipping.formats.leef import leef
from zonewatch.sensor.shipping.formats.ocsf import ocsf
from zonewatch.sensor.shipping.formats.pick import millis
from zonewatch.sensor.shipping.formats.rfc5424 import counted, message, parameter, word

FULL: dict[str, Any] = {
    "@timestamp": "2026-03-02T08:16:00.000Z",
    "event": {
        "id": "18c24300a923e9ce.2",
        "dataset": "zonewatch.findings",
        "action": "write",
        "start": "2026-03-02T08:14:00.000Z",
        "end": "2026-03-02T08:16:00.000Z",
        "reason": "a state-changing operation",
        "severity": 99,
    },
    "message": "eng-1 writes a=b | c",
    "rule": {"id": "policy.violation", "name": "policy: violation"},
    "observer": {"product": "zonewatch", "vendor": "zonewatch", "version": "0.1.0"},
    "source": {"ip": "10.20.1.20", "port": 51514, "mac": "00-80-F4-00-00-20"},
    "destination": {"ip": "fe80::1", "port": 502},
    "network": {"protocol": "modbus", "transport": "tcp"},
    "threat": {"technique": {"id": ["T0836"]}},
    "zonewatch": {
        "severity": "critical",
        "state": "open",
        "subject": "18c24300a923e9ce",
        "count": 3,
        "zones": ["supervision", "filtration"],
    },
}
CEF = (
    "CEF:0|zonewatch|zonewatch|0.1.0|policy.violation|policy: violation|10|"
    "externalId=18c24300a923e9ce.2 rt=1772439360000 start=1772439240000 end=1772439360000 cat=zonewatch.findings"
    " act=write cnt=3 src=10.20.1.20 smac=00:80:F4:00:00:20 spt=51514 dpt=502 proto=TCP app=modbus"
    " msg=eng-1 writes a\\=b | c reason=a state-changing operation"
    " c6a3Label=Destination IPv6 Address c6a3=fe80::1 cs1Label=Zones cs1=supervision, filtration"
    " cs3Label=ATT&CK for ICS technique cs3=T0836 cs6Label=Subject cs6=18c24300a923e9ce"
    " flexString1Label=State flexString1=open"
)
LEEF = (
    "LEEF:2.0|zonewatch|zonewatch|0.1.0|policy.violation|x09|"
    "cat=zonewatch.findings\tdevTime=2026-03-02T08:16:00.000Z\tsrc=10.20.1.20\tdst=fe80::1\tsrcPort=51514\tdstPort=502"
    "\tsrcMAC=00:80:F4:00:00:20\tproto=tcp\teventId=18c24300a923e9ce.2\tsubject=18c24300a923e9ce\tstate=open"
    "\tmessage=eng-1 writes a=b | c\treason=a state-changing operation\tapp=modbus\taction=write"
    "\tzones=supervision, filtration\ttechnique=T0836\teventCount=3\tsev=10\tdevTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSX"
)
SYSLOG = (
    b"<162>1 2026-03-02T08:16:00.000Z sensor-1 zonewatch - findings "
    b'[origin software="zonewatch" swVersion="0.1.0"] body'
)


def test_an_alert_as_cef() -> None:
    assert cef(FULL) == CEF


def test_an_alert_as_leef() -> None:
    assert leef(FULL) == LEEF


def test_an_alert_in_a_frame_of_syslog() -> None:
    assert message(FULL, b"body", "local4", "sensor-1") == SYSLOG
    assert counted(b"abc") == b"3 abc"


@pytest.mark.parametrize(
    ("severity", "priority"),
    [("critical", 162), ("high", 163), ("medium", 164), ("low", 165), ("info", 166), ("?", 166)],
)
def test_priorities(severity: str, priority: int) -> None:
    found = message(alert("1", zonewatch={"severity": severity}), b"", "local4", "h")
    assert found.startswith(b"<%d>1 " % priority)


@pytest.mark.parametrize(
    ("given", "in_header", "in_extension"),
    [
        ("a|b", "a\\|b", "a|b"),
        ("a\\b", "a\\\\b", "a\\\\b"),
        ("a=b", "a=b", "a\\=b"),
        ("a\nb", "a b", "a\\nb"),
        ("a\r\nb", "a b", "a\\nb"),
        ("a\x00\tb", "a b", "a  b"),
        ("\\n", "\\\\n", "\\\\n"),
    ],
)
def test_escapes_of_cef(given: str, in_header: str, in_extension: str) -> None:
    assert header(given) == in_header
    assert extension(given) == in_extension


@pytest.mark.parametrize(
    ("given", "longest", "expected"),
    [("plc 3", 255, "plc3"), ("", 255, "-"), ("ü", 255, "-"), ("abc", 2, "ab"), ("a\x7fb", 9, "ab")],
)
def test_words_of_the_syslog_header(given: str, longest: int, expected: str) -> None:
    assert word(given, longest) == expected


def test_parameters_of_structured_data() -> None:
    assert parameter('a"b]c\\d\n') == 'a\\"b\\]c\\\\d '


TEXT = st.text(max_size=20)
ANY = st.none() | st.integers() | TEXT | st.lists(TEXT, max_size=3) | st.dictionaries(TEXT, TEXT, max_size=2)


@st.composite
def hostile(draw: Any) -> dict[str, Any]:
    """An alert with any text, and any kind of value, in places that the network writes."""
    made = alert(draw(TEXT), draw(TEXT), message=draw(TEXT))
    made["rule"] = {"id": draw(TEXT), "name": draw(TEXT)}
    made["observer"]["version"] = draw(TEXT)
    made["host"] = {"name": draw(TEXT)}
    made["zonewatch"] |= {"zones": draw(st.lists(TEXT)), "remedy": draw(TEXT), "assets": draw(st.lists(TEXT))}
    made["source"] = {"ip": draw(ANY), "port": draw(ANY), "mac": draw(TEXT)}
    return made


def read_cef(line: str) -> tuple[list[str], dict[str, str]]:
    """CEF as its standard reads it."""
    parts: list[str] = []
    current, escaped = "", False
    for place, letter in enumerate(line):
        if escaped:
            current, escaped = current + letter, False
        elif letter == "\\" and len(parts) < 7:
            escaped = True
        elif letter == "|":
            parts.append(current)
            current = ""
            if len(parts) == 7:
                current = line[place + 1 :]
                break
        else:
            current += letter
    pairs = re.findall(r"(\w+)=((?:[^\\=]|\\.)*?)(?= \w+=|$)", current)
    meaning = {"\\n": "\n", "\\=": "=", "\\\\": "\\"}
    return parts, {key: re.sub(r"\\.", lambda found: meaning[found[0]], value) for key, value in pairs}


@given(hostile())
def test_any_text_is_one_line_of_cef_that_reads_back(made: dict[str, Any]) -> None:
    line = cef(made)
    assert len(line.splitlines()) == 1
    head, pairs = read_cef(line)
    assert head[0] == "CEF:0"
    assert len(head) == 7
    assert pairs["cat"] == "zonewatch.findings"
    text = made["message"]
    controls = dict.fromkeys((*range(32), 127), " ") | {ord(one): "\n" for one in "\n\r\x0b\x0c\x85\u2028\u2029"}
    if text:
        assert pairs["msg"] == text.replace("\r\n", "\n").translate(controls)
    assert set(pairs) <= {"c6a2", "c6a2Label", "c6a3", "c6a3Label"} | set(re.findall(r"(\w+)=", CEF)) | {
        *("cs2", "cs2Label", "cs5", "cs5Label", "dhost", "dst"),
    }


@given(hostile())
def test_any_text_is_one_line_of_leef_that_reads_back(made: dict[str, Any]) -> None:
    line = leef(made)
    assert len(line.splitlines()) == 1
    head = line.split("|", 6)
    assert (head[0], head[5]) == ("LEEF:2.0", "x09")
    pairs = [pair.split("=", 1) for pair in head[6].split("\t")]
    assert all(len(pair) == 2 for pair in pairs)
    assert len({key for key, _ in pairs}) == len(pairs), "no text adds an attribute"
    assert dict(pairs)["sev"] == "8"


STRUCTURED = rb'\[origin software="zonewatch" swVersion="(?:[^"\\\]]|\\["\\\]])*"\]'


@given(hostile(), TEXT, st.binary(max_size=50))
def test_any_text_is_a_message_of_rfc_5424(made: dict[str, Any], host: str, body: bytes) -> None:
    made["@timestamp"] = made["message"]
    found = message(made, body, "daemon", host)
    pattern = rb"<27>1 (-|\S+) [\x21-\x7e]{1,255} zonewatch - findings " + STRUCTURED + rb" "
    matched = re.match(pattern, found)
    assert matched is not None
    assert found[matched.end() :] == body


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    """The published schema of OCSF 1.5.0, as the package ocsf-json-schema has it."""
    made = OcsfJsonSchemaEmbedded(get_ocsf_schema(version="1.5.0"))
    return jsonschema.Draft202012Validator(made.get_class_schema(class_name="detection_finding", profiles=[]))


def problems(validator: jsonschema.Draft202012Validator, made: dict[str, Any]) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(made)]


def test_alerts_as_ocsf_meet_its_schema(validator: jsonschema.Draft202012Validator) -> None:
    found = sample_alerts()
    assert len(found) > 20
    assert any("findings" in one["zonewatch"] for one in found), "an incident"
    for one in found:
        assert problems(validator, ocsf(one)) == []


def test_the_schema_would_notice(validator: jsonschema.Draft202012Validator) -> None:
    made = ocsf(FULL)
    assert problems(validator, made) == []
    for change in ({"severity_id": "high"}, {"class_uid": 2001}, {"no_such_attribute": 1}, {"finding_info": {}}):
        assert problems(validator, made | change), change


def test_what_ocsf_says() -> None:
    made = ocsf(FULL)
    assert (made["class_uid"], made["type_uid"], made["activity_id"], made["severity_id"]) == (2004, 200402, 2, 5)
    assert (made["metadata"]["uid"], made["finding_info"]["uid"]) == ("18c24300a923e9ce.2", "18c24300a923e9ce")
    assert made["time"] == 1772439360000
    assert made["evidences"][0]["src_endpoint"] == {"ip": "10.20.1.20", "mac": "00:80:F4:00:00:20", "port": 51514}
    assert made["finding_info"]["attacks"] == [{"version": "19.1", "technique": {"uid": "T0836"}}]


@pytest.mark.parametrize(
    ("state", "event", "activity", "status"),
    [("open", "f", 1, 1), ("open", "f.2", 2, 1), ("accepted", "f.3", 2, 3), ("resolved", "f.4", 3, 4)],
)
def test_tellings_as_activities_of_ocsf(state: str, event: str, activity: int, status: int) -> None:
    made = ocsf(alert(event, zonewatch={"severity": "low", "state": state, "subject": "f"}))
    assert (made["activity_id"], made["type_uid"], made["status_id"]) == (activity, 200400 + activity, status)


@pytest.mark.parametrize("form", FORMS)
def test_a_long_alert_is_shortened_and_says_so(form: Form) -> None:
    long = row("e", zonewatch={"severity": "high", "evidence": ["capture.pcap:1"] * 5000, "remedy": "r" * 500})
    made = render(form, 4000)(long)
    assert len(made) <= 4000
    if form in ("ecs", "ocsf"):
        assert SHORTENED in made.decode()
    whole = render(form)(long)
    assert len(whole) > 4000 or form in ("cef", "leef")
    with pytest.raises(ValueError, match="octets where 40 are allowed"):
        render(form, 40)(long)


@pytest.mark.parametrize("form", FORMS)
def test_every_alert_of_an_audit_has_every_form(form: Form) -> None:
    for one in sample_alerts():
        made = FORMS[form](one)
        assert b"\n" not in made
        assert made


def test_severity_words_are_those_of_findings() -> None:
    for form in ("cef", "leef", "ocsf", "rfc5424"):
        table = import_module(f"zonewatch.sensor.shipping.formats.{form}").SEVERITIES
        assert list(table) == list(ecs.SEVERITY_NUMBERS)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [("1970-01-01T00:00:01.500Z", 1500), ("1970-01-01T00:00:01", 1000), ("never", None), (None, None), (5, None)],
)
def test_moments(moment: Any, expected: int | None) -> None:
    assert millis(moment) == expected


def test_an_event_id_is_the_rows() -> None:
    made = json.loads(render("ecs")(row("finding.7", event="nonsense")))
    assert made["event"] == {"id": "finding.7"}
