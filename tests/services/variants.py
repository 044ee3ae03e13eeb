"""A capture as another would have it: cut into segments and fragments, sent again, in tunnels, in part."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Final, NamedTuple

TCP: Final = 6
_PIECE: Final = 7
"""Octets of a segment, fewer than a secret has."""
_OUTER: Final = bytes.fromhex("020000000002 020000000001")
_TUNNEL: Final = bytes((192, 0, 2, 1)), bytes((192, 0, 2, 2))


class Frame(NamedTuple):
    """A packet of Ethernet; `wire` is more than its octets where the capture cut it."""

    time: int  # microseconds
    octets: bytes
    wire: int


Change = Callable[[list[Frame]], list[Frame]]


def read(path: Path) -> list[Frame]:
    """The packets of a little-endian pcap of microseconds."""
    data, place, frames = path.read_bytes(), 24, []
    while place < len(data):
        seconds, micros, captured, wire = struct.unpack_from("<4I", data, place)
        frames.append(Frame(seconds * 1_000_000 + micros, data[place + 16 : place + 16 + captured], wire))
        place += 16 + captured
    return frames


def write(path: Path, frames: list[Frame]) -> Path:
    """Writes them as such a file."""
    parts = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1)]
    for time, octets, wire in frames:
        parts += struct.pack("<4I", *divmod(time, 1_000_000), len(octets), wire), octets
    path.write_bytes(b"".join(parts))
    return path


def _is_ipv4(frame: Frame) -> bool:
    return frame.octets[12:14] == b"\x08\x00"


def _packet(frame: Frame) -> bytes:
    """The IPv4 packet without padding."""
    (length,) = struct.unpack_from(">H", frame.octets, 16)
    return frame.octets[14 : 14 + length]


def _with(frame: Frame, packet: bytes, later: int = 0) -> Frame:
    octets = frame.octets[:14] + packet
    return Frame(frame.time + later, octets, len(octets))


def _headers(packet: bytes) -> tuple[bytes, bytes, bytes] | None:
    """Headers of IPv4 and TCP, and what is behind."""
    if packet[9] != TCP:
        return None
    start = (packet[0] & 15) * 4
    end = start + (packet[start + 12] >> 4) * 4
    return packet[:start], packet[start:end], packet[end:]


def _ip(header: bytes, payload: bytes, fragment: tuple[int, int] | None = None) -> bytes:
    """A header with another length, without a checksum; a fragment has an identification, and flags with an offset."""
    length = struct.pack(">H", len(header) + len(payload))
    place = header[4:8] if fragment is None else struct.pack(">HH", *fragment)
    return header[:2] + length + place + header[8:10] + b"\0\0" + header[12:] + payload


def payload_of(frame: Frame) -> bytes:
    """What a TCP segment carries."""
    headers = _headers(_packet(frame)) if _is_ipv4(frame) else None
    return headers[2] if headers else b""


def _segments(frame: Frame, size: int) -> Iterator[Frame]:
    headers = _headers(_packet(frame)) if _is_ipv4(frame) else None
    if headers is None or len(headers[2]) <= 1:
        yield frame
        return
    ip, tcp, payload = headers
    (sequence,) = struct.unpack_from(">I", tcp, 4)
    for later, at in enumerate(range(0, len(payload), size)):
        numbered = tcp[:4] + struct.pack(">I", sequence + at & 0xFFFFFFFF) + tcp[8:]
        yield _with(frame, _ip(ip, numbered + payload[at : at + size]), later)


def in_segments(frames: list[Frame]) -> list[Frame]:
    """Segments of seven octets."""
    return [piece for frame in frames for piece in _segments(frame, _PIECE)]


def in_disorder(frames: list[Frame]) -> list[Frame]:
    """Such segments, the last of each first."""
    pieces = ((frame, list(_segments(frame, _PIECE))) for frame in frames)
    return [
        piece._replace(time=frame.time + later)
        for frame, some in pieces
        for later, piece in enumerate(reversed(some) if len(some) < 100 else some)
    ]


def sent_again(frames: list[Frame]) -> list[Frame]:
    """Each twice, then in pieces, then with other octets at the end."""
    found = []
    for frame in frames:
        found += [frame, frame, *list(_segments(frame, _PIECE))[:20]]
        if len(payload_of(frame)) > 4:
            found.append(frame._replace(octets=frame.octets[:-3] + b"###"))
    return found


def in_fragments(frames: list[Frame]) -> list[Frame]:
    """Fragments of eight octets, fewer than a secret has."""
    found = []
    for number, frame in enumerate(frames, start=1):
        if not _is_ipv4(frame):
            found.append(frame)
            continue
        packet = _packet(frame)
        start = (packet[0] & 15) * 4
        for at in range(start, len(packet), 8):
            more = 0x2000 if at + 8 < len(packet) else 0
            piece = _ip(packet[:start], packet[at : at + 8], (number, more | (at - start) // 8))
            found.append(_with(frame, piece))
    return found


def _wrapped(frame: Frame, protocol: int, payload: bytes) -> Frame:
    header = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 7, 0, 64, protocol, 0, *_TUNNEL)
    octets = _OUTER + b"\x08\x00" + header + payload
    return Frame(frame.time, octets, len(octets))


def in_vlan(frames: list[Frame]) -> list[Frame]:
    """Behind two tags."""
    tags = bytes.fromhex("88a80007 81000014")
    return [
        frame._replace(octets=frame.octets[:12] + tags + frame.octets[12:], wire=frame.wire + 8) for frame in frames
    ]


def in_vxlan(frames: list[Frame]) -> list[Frame]:
    """Whole frames over UDP."""
    head = bytes.fromhex("0800000000002a00")

    def datagram(octets: bytes) -> bytes:
        return struct.pack(">HHHH", 50_000, 4789, 16 + len(octets), 0) + head + octets

    return [_wrapped(frame, 17, datagram(frame.octets)) for frame in frames]


def in_gre(frames: list[Frame]) -> list[Frame]:
    """Packets in packets."""
    return [_wrapped(frame, 47, b"\0\0\x08\0" + _packet(frame)) if _is_ipv4(frame) else frame for frame in frames]


def one_way(client: bool) -> Change:
    """What one side sends: the first station seen, or all others."""

    def change(frames: list[Frame]) -> list[Frame]:
        first = frames[0].octets[6:12]
        return [frame for frame in frames if (frame.octets[6:12] == first) == client]

    return change


def short(size: int) -> Change:
    """As a capture with a small snapshot length has them."""
    return lambda frames: [frame._replace(octets=frame.octets[:size]) for frame in frames]


def mid_stream(frames: list[Frame]) -> list[Frame]:
    """Without what opens a connection: no SYN, nor the first segments with data."""
    seen: dict[bytes, int] = {}
    kept = []
    for frame in frames:
        headers = _headers(_packet(frame)) if _is_ipv4(frame) else None
        if headers:
            ip, tcp, payload = headers
            key = b"".join(sorted((ip[12:16] + tcp[:2], ip[16:20] + tcp[2:4])))
            seen[key] = seen.get(key, 0) + bool(payload)
            if tcp[13] & 2 or seen[key] <= 2:
                continue
        kept.append(frame)
    return kept


def unfinished(frames: list[Frame]) -> list[Frame]:
    """Each connection ends in the middle of what its client sends last, and nothing answers."""
    pieces = in_segments(frames)
    last: dict[bytes, int] = {}
    for number, frame in enumerate(pieces):
        if payload_of(frame):
            last[frame.octets[26:38]] = number
    return [frame for number, frame in enumerate(pieces) if number < last.get(frame.octets[26:38], len(pieces))]


VARIANTS: Final[dict[str, Change]] = {
    "as_it_is": lambda frames: frames,
    "in_segments": in_segments,
    "in_disorder": in_disorder,
    "sent_again": sent_again,
    "in_fragments": in_fragments,
    "in_vlan": in_vlan,
    "in_vxlan": in_vxlan,
    "in_gre": in_gre,
    "client_only": one_way(client=True),
    "server_only": one_way(client=False),
    "short_70": short(70),
    "short_100": short(100),
    "short_140": short(140),
    "mid_stream": mid_stream,
    "unfinished": unfinished,
}
"""Each gives the packets anew."""


def each_place(frames: list[Frame]) -> Iterator[tuple[str, list[Frame]]]:
    """The capture without each of its frames, from it on, up to it, and with each cut at several places."""
    for place, frame in zip(count(), frames):
        yield f"without {place}", frames[:place] + frames[place + 1 :]
        yield f"from {place}", frames[place:]
        yield f"up to {place}", frames[: place + 1]
        pieces = list(_segments(frame, _PIECE))
        if len(pieces) > 1:
            yield f"first half of {place} lost", [*frames[:place], *pieces[len(pieces) // 2 :], *frames[place + 1 :]]
            yield f"second half of {place} lost", [*frames[:place], *pieces[: len(pieces) // 2], *frames[place + 1 :]]
            for lost in range(min(len(pieces), 40)):
                yield (
                    f"{place} without {lost}",
                    [*frames[:place], *pieces[:lost], *pieces[lost + 1 :], *frames[place + 1 :]],
                )
        size = len(frame.octets)
        for cut in {size - 1, size - 8, size * 3 // 4, size // 2} - {0}:
            some = frame._replace(octets=frame.octets[:cut])
            yield f"{place} cut at {cut}", [*frames[:place], some, *frames[place + 1 :]]
