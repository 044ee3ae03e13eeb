"""Network management."""

from __future__ import annotations

from builders.services.ber import OCTETS, SEQUENCE, ber, integer, oid
from builders.services.hosts import ENGINEERING, SERVER, SWITCH
from builders.wire import MILLISECOND, Capture, seconds

AGENT, TRAPS = 161, 162
_GET, _NEXT, _RESPONSE, _SET, _TRAP_V1, _TRAP, _REPORT = 0xA0, 0xA1, 0xA2, 0xA3, 0xA4, 0xA7, 0xA8
_NULL = b"\x05\x00"
_ENGINE = bytes.fromhex("800000f803000e8c202002")
_SYSTEM, _PARTS = "1.3.6.1.2.1.1", "1.3.6.1.2.1.47.1.1.1.1"


def _pdu(kind: int, request: int, *bindings: tuple[str, bytes], error: int = 0) -> bytes:
    rows = [ber(SEQUENCE, oid(name), value) for name, value in bindings]
    return ber(kind, integer(request), integer(error), integer(0), ber(SEQUENCE, *rows))


def _message(version: int, community: bytes, pdu: bytes) -> bytes:
    return ber(SEQUENCE, integer(version), ber(OCTETS, community), pdu)


def _user(number: int, flags: int, engine: bytes, user: bytes, pdu: bytes, sealed: bool = False) -> bytes:
    head = ber(SEQUENCE, integer(number), integer(65507), ber(OCTETS, bytes([flags])), integer(3))
    fields = (ber(OCTETS, engine), integer(0), integer(0), ber(OCTETS, user), ber(OCTETS), ber(OCTETS))
    scoped = ber(OCTETS, bytes(60)) if sealed else ber(SEQUENCE, ber(OCTETS, engine), ber(OCTETS), pdu)
    return ber(SEQUENCE, integer(3), head, ber(OCTETS, ber(SEQUENCE, *fields)), scoped)


def snmp(capture: Capture) -> None:
    """A switch describes itself; a change with a default community and one refused; users; notifications."""
    told = (
        (f"{_SYSTEM}.1.0", ber(OCTETS, b"Hirschmann MACH102")),
        (f"{_SYSTEM}.2.0", oid("1.3.6.1.4.1.248.14.10.60")),
        (f"{_SYSTEM}.5.0", ber(OCTETS, b"switch-2")),
        (f"{_SYSTEM}.6.0", ber(OCTETS, b"Hall 3, cabinet 7")),
        (f"{_PARTS}.11.1", ber(OCTETS, b"943910701000101001")),
        (f"{_PARTS}.13.1", ber(OCTETS, b"MACH102-8TP")),
        ("1.3.6.1.2.1.17.1.1.0", ber(OCTETS, bytes.fromhex("000e8c202002"))),
    )
    port = (("1.3.6.1.2.1.2.2.1.7.3", integer(2)),)
    discovery = (("1.3.6.1.6.3.15.1.1.4.0", b"\x41\x01\x01"),)
    asked = tuple((name, _NULL) for name, _ in told)
    pairs = (
        (_message(1, b"public", _pdu(_GET, 1, *asked)), _message(1, b"public", _pdu(_RESPONSE, 1, *told))),
        (_message(0, b"private", _pdu(_SET, 2, *port)), _message(0, b"private", _pdu(_RESPONSE, 2, *port))),
        (_message(1, b"plant7", _pdu(_SET, 3, *port)), _message(1, b"plant7", _pdu(_RESPONSE, 3, *port, error=17))),
        (_user(4, 4, b"", b"", _pdu(_GET, 4)), _user(4, 0, _ENGINE, b"", _pdu(_REPORT, 4, *discovery))),
        (_user(5, 7, _ENGINE, b"eva", b"", True), _user(5, 3, _ENGINE, b"eva", b"", True)),
    )
    for number, (request, response) in enumerate(pairs):
        capture.udp(seconds(number), ENGINEERING, 50_200 + number, SWITCH, AGENT, request)
        capture.udp(seconds(number) + MILLISECOND, SWITCH, AGENT, ENGINEERING, 50_200 + number, response)
    silent = _message(1, b"public", _pdu(_NEXT, 9, ("1.3.6.1.2.1.2.2.1.10.1", _NULL)))
    capture.udp(seconds(6), ENGINEERING, 50_210, SERVER, AGENT, silent)
    old = (oid("1.3.6.1.4.1.248"), ber(0x40, bytes([192, 168, 20, 2])), integer(4), integer(0), ber(0x43, b"\1"))
    capture.udp(seconds(7), SWITCH, 50_220, SERVER, TRAPS, _message(0, b"public", ber(_TRAP_V1, *old, ber(SEQUENCE))))
    link = (("1.3.6.1.6.3.1.1.4.1.0", oid("1.3.6.1.6.3.1.1.5.3")),)
    capture.udp(seconds(8), SWITCH, 50_220, SERVER, TRAPS, _message(1, b"public", _pdu(_TRAP, 10, *link)))


CAPTURES = (("snmp", snmp, "SNMP of all versions: a switch describes itself, changes, users, notifications"),)
