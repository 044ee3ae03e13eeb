"""No secret of the planted captures is in a dissection that is shown, however tshark tells it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pytest

from tests.services.leaks import SECRET, leak
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
