"""The dissection of a frame: tshark's PDML, read by pyshark for values and once more for the tree of its lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree

from zonewatch.sensor.wireshark.tshark import Tshark, TsharkMissing, running

__all__ = ["NO_PYSHARK", "Dissected", "Node", "dissect"]

NO_PYSHARK: Final = "pyshark is not installed (pip install 'zonewatch[wireshark]')"
SECONDS: Final = 300
MOST_OCTETS: Final = 64_000_000
MOST_NODES: Final = 20_000
MOST_DEPTH: Final = 60


@dataclass(frozen=True, slots=True)
class Node:
    """A line of the dissection with those below it. Positions count from the start of its buffer."""

    name: str  # filter name; empty for a line of text alone
    text: str
    octets: bytes | None  # that it stands for
    position: int
    size: int
    is_layer: bool
    is_hidden: bool  # tshark shows it to filters only
    below: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Dissected:
    """A frame as tshark reads it."""

    frame: int
    layers: tuple[Node, ...]
    protocols: tuple[str, ...]  # as pyshark names its layers
    comment: str  # of the packet, in a pcapng file
    completed_in: int | None  # frame that ends the PDU, of which this one holds a part
    cut: bool  # more lines than are kept


def dissect(tshark: Tshark, capture: Path, frames: Sequence[int], last: int) -> tuple[tuple[Dissected, ...], str]:
    """The frames of a capture, read up to frame `last` for what lies in several; and why some are missing.

    Raises TsharkMissing where pyshark is not installed, OSError where tshark cannot be started.
    """
    if find_spec("pyshark") is None:
        raise TsharkMissing(NO_PYSHARK)
    wanted = " or ".join(f"frame.number == {frame}" for frame in sorted(set(frames)))
    arguments = ("-n", "-2", "-r", str(capture.absolute()), "-c", str(last), "-Y", wanted, "-T", "pdml")
    with running(tshark.path, arguments, seconds=SECONDS, most_octets=MOST_OCTETS) as output:
        found = tuple(read(octets) for octets in _packets(output))
    return found, output.stopped or output.said


def _packets(lines: Any) -> Iterator[bytes]:
    """The elements of packets, whole ones only."""
    held: list[bytes] = []
    for line in lines:
        if line.startswith(b"<packet>"):
            held = [line]
        elif held:
            held.append(line)
            if line.startswith(b"</packet>"):
                yield b"".join(held)
                held = []


def read(octets: bytes) -> Dissected:
    """One packet of PDML."""
    # pyshark reads a `config.ini` of the working directory when a capture is opened by it, which may name any program
    # as tshark; its reader of packets does not.
    from pyshark.tshark.output_parser import tshark_xml

    text = octets.decode(errors="replace").translate(tshark_xml.DEL_BAD_XML_CHARS)
    packet = tshark_xml.packet_from_xml_packet(text.encode())
    budget = [MOST_NODES]
    root = ElementTree.fromstring(text)
    layers = tuple(_node(element, budget, 0) for element in root if element.get("name") != "geninfo")
    return Dissected(
        frame=int(packet.number),
        layers=layers,
        protocols=tuple(layer.layer_name for layer in packet.layers),
        comment=str(packet.frame_info.get_field_value("comment") or _comment(packet)),
        completed_in=_completed(packet),
        cut=budget[0] < 0,
    )


def _comment(packet: Any) -> str:
    for layer in packet.layers:
        if layer.layer_name == "pkt_comment":
            return str(layer.get_field_value("frame.comment") or "")
    return ""


def _completed(packet: Any) -> int | None:
    for layer in packet.layers:
        found = layer.get_field(f"{layer.layer_name}.reassembled_in")
        if found is not None and str(found.show).isdecimal():
            return int(found.show)
    return None


def _node(element: ElementTree.Element, budget: list[int], depth: int) -> Node:
    budget[0] -= 1
    below = []
    if depth < MOST_DEPTH:
        for child in element:
            if budget[0] < 0:
                break
            below.append(_node(child, budget, depth + 1))
    value = element.get("unmaskedvalue") or element.get("value") or ""
    return Node(
        name=element.get("name", ""),
        text=element.get("showname") or element.get("show") or element.get("name") or "",
        octets=_octets(value),
        position=int(element.get("pos") or 0),
        size=int(element.get("size") or 0),
        is_layer=element.tag == "proto",
        is_hidden=element.get("hide") == "yes",
        below=tuple(below),
    )


def _octets(text: str) -> bytes | None:
    try:
        return bytes.fromhex(text) if text else None
    except ValueError:
        return None
