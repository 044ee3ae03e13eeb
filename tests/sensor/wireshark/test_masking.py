"""No secret of the planted captures is in a dissection that is shown, however tshark tells it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.services.leaks import leak
from tests.services.planted import CAPTURES
from zonewatch.dissectors.decoder import CaptureFile, Source
from zonewatch.inventory.model import Evidence
from zonewatch.reports.evidence import shown
from zonewatch.reports.explain import Line
from zonewatch.sensor.decoding import decode
from zonewatch.sensor.wireshark.dictionary import Dictionary, Field, dictionary
from zonewatch.sensor.wireshark.masking import MASK, Trust, Vault, masked, names_of, secrets_of
from zonewatch.sensor.wireshark.pdml import Node, dissect
from zonewatch.sensor.wireshark.tshark import find

needs_tshark = pytest.mark.skipif(
    shutil.which("tshark") is None or pytest.importorskip("pyshark") is None, reason="tshark is not installed"
)


def texts(lines: Sequence[Line]) -> Iterator[str]:
    for line in lines:
        yield line.text
        yield from texts(line.below)


def node(name: str, text: str, octets: bytes = b"", *below: Node, position: int = 0, layer: bool = False) -> Node:
    return Node(name, text, octets or None, position, len(octets), layer, False, below)


@needs_tshark
@pytest.mark.parametrize("capture", CAPTURES, ids=lambda path: path.stem)
def test_no_planted_secret_is_shown(capture: Path) -> None:
    tables = decode([Source("point", (CaptureFile("a.pcap", capture),))], detail="events")
    (count,) = tables["coverage"]["packets"].to_pylist()
    frames = range(1, count + 1)
    found, problem = dissect(find(), capture, frames, count)
    assert not problem
    assert [one.frame for one in found] == list(frames)
    keeps = shown([Evidence("point", "a.pcap", frame) for frame in frames], tables)
    known = dictionary(find(), {name for one in found for name in names_of(one.layers)})
    untold = 0
    for one in found:
        lines, _ = masked(one.layers, known, Trust(keeps[Evidence("point", "a.pcap", one.frame)]))
        said = "\n".join(texts(lines))
        assert leak(said.encode()) is None, f"frame {one.frame}"
        untold += said.count(MASK)
    assert untold, "nothing was masked: the test proves nothing"


KNOWN = Dictionary(
    {
        "snmp.community": Field("Community", "FT_STRING"),
        "x.text": Field("Text", "FT_STRING"),
        "x.octets": Field("Octets", "FT_BYTES"),
        "x.code": Field("Code", "FT_UINT8"),
        "x.big": Field("Big", "FT_UINT64"),
        "x.len": Field("Length", "FT_UINT16"),
        "x.part": Field("Part", "FT_NONE"),
        "http.request.method": Field("Request Method", "FT_STRING"),
        "ftp.request.command": Field("Request command", "FT_STRING"),
        "modbus.func_code": Field("Function Code", "FT_UINT8"),
        "bacapp.password": Field("Password", "FT_STRING"),
    },
    {"x": "Protocol X", "tcp": "Transmission Control Protocol", "ip": "Internet Protocol", "frame": "Frame"},
)


def packet(*fields: Node, layer: str = "x") -> tuple[Node, ...]:
    ip = node("ip", "Internet Protocol, Src: 10.0.0.1", layer=True)
    payload = node("tcp.payload", "TCP payload (9 bytes)", b"123456789", position=54)
    tcp = node("tcp", "Transmission Control Protocol, Len: 9", b"", payload, layer=True)
    return ip, tcp, node(layer, f"{layer}: PASS hunter2", b"", *fields, layer=True)


def said(fields: tuple[Node, ...], keep: int | None, layer: str = "x") -> list[str]:
    lines, _ = masked(packet(*fields, layer=layer), KNOWN, Trust(keep))
    return list(texts(lines))


@pytest.mark.parametrize(
    ("field", "whole", "strict"),
    [
        # field, what is shown where the engine vouches for the message, and where it does not
        (node("snmp.community", "community: plant7", b"plant7"), "Community: [masked]", "Community: [masked]"),
        (node("x.text", "Text: hunter2", b"hunter2"), "Text: hunter2", "Text: [masked]"),
        (node("x.octets", "Octets: 0102", b"\x01\x02"), "Octets: 0102", "Octets: [masked]"),
        (node("x.code", "Code: Read (3)", b"\x03"), "Code: Read (3)", "Code: Read (3)"),
        (node("x.big", "Big: 7", bytes(8)), "Big: 7", "Big: [masked]"),
        (node("x.len", "Length: 7", b"\x00\x07"), "Length: 7", "Length: [masked]"),
        (node("x.part", "Part hunter2"), "Part hunter2", "Part"),
        (node("", "PASS hunter2\\r\\n", b"PASS hunter2\r\n"), "PASS hunter2\\r\\n", MASK),
        (node("x.unknown", "New: hunter2", b"hunter2"), "New: hunter2", "x.unknown: [masked]"),
        (node("http.request.method", "Request Method: GET"), "Request Method: GET", "Request Method: GET"),
        (node("ftp.request.command", "Request command: PASS"), "Request command: PASS", "Request command: PASS"),
        (node("ftp.request.command", "Request command: AGV2"), "Request command: AGV2", "Request command: [masked]"),
    ],
)
def test_what_is_shown_of_a_field(field: Node, whole: str, strict: str) -> None:
    assert said((field,), None)[-1] == whole
    assert said((field,), 0)[-1] == strict


def test_neither_lengths_nor_texts_of_headers_tell_of_a_payload() -> None:
    assert said((), 0) == [
        "Internet Protocol, Src: 10.0.0.1",
        "Transmission Control Protocol",
        "tcp.payload: [masked]",
        "Protocol X",
    ]


def test_nothing_below_a_secret_is_shown() -> None:
    inner = node("x.code", "Code: 7", b"\x07")
    assert said((node("bacapp.password", "password: x", b"x", inner),), None)[-1] == "Password: [masked]"


@pytest.mark.parametrize(("position", "shown_too"), [(54, True), (61, True), (62, False), (70, False)])
def test_of_a_control_protocol_what_lies_behind_the_shown_octets_is_masked(position: int, shown_too: bool) -> None:
    code = node("modbus.func_code", "Function Code: 90", b"\x5a", position=position)
    assert (said((code,), 8, layer="modbus")[-1] == "Function Code: 90") == shown_too
    # Of a message that began in an earlier packet nobody knows where its octets are.
    assert said((code,), 0, layer="modbus")[-1] == "Function Code: [masked]"


@pytest.mark.parametrize(
    "text",
    [
        "user eva, password correct horse",
        "CORRECT HORSE",
        "63:6f:72:72:65:63:74:20:68:6f:72:73:65",
        "0x636f7272656374",
        "\\x63\\x6f\\x72\\x72\\x65\\x63\\x74",
        "Basic Y29ycmVjdCBob3JzZQ==",
        "esroh tcerroc",
        "...rect hor...",
    ],
)
def test_a_secret_is_found_in_every_form(text: str) -> None:
    vault = Vault([b"correct horse"])
    assert vault.holds(text)
    assert not vault.holds("Function Code: Read Holding Registers (3)")


def test_a_secret_in_two_octets_a_character_is_found() -> None:
    assert Vault(["correct".encode("utf-16-le")]).holds("name: correct")


def test_so_many_secrets_that_none_can_be_looked_for_leave_nothing_shown() -> None:
    assert Vault([bytes([at % 251, at // 251 % 251, *range(90)]) for at in range(2_000)]).holds("harmless")


def test_a_secret_told_once_more_under_another_name_is_masked_there_too() -> None:
    fields = (node("snmp.community", "community: plant7x", b"plant7x"), node("x.text", "Text: of plant7x", b""))
    assert said(fields, None)[-2:] == ["Community: [masked]", "Text: [masked]"]


def test_the_tables_name_known_fields_only_once() -> None:
    layers = packet(node("snmp.community", "community: plant7", b"plant7"))
    assert set(secrets_of(layers)) == {b"plant7"}
