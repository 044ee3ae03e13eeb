"""`zonewatch explain`: one frame, our reading beside Wireshark's."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import typer

from zonewatch.inventory.build import Tables, build
from zonewatch.inventory.declared import DeclaredAsset, read_assets
from zonewatch.inventory.model import Inventory
from zonewatch.reports.explain import Explained, Line, lines_json, render
from zonewatch.reports.rows import Console, object_words
from zonewatch.reports.words import clock, counted, field_words, iso_time, named, number, operation, size
from zonewatch.rules.judge import VerdictRow, judge
from zonewatch.rules.places import Places, placed
from zonewatch.rules.policy.declared import declared_assets
from zonewatch.rules.policy.model import Policy
from zonewatch.sensor.frame import FrameReading, Row, read_frame
from zonewatch.sensor.pipeline import INVENTORY_TABLES, last_time
from zonewatch.sensor.usage import DONE, PARTIAL, UsageError
from zonewatch.sensor.wireshark.dictionary import dictionary
from zonewatch.sensor.wireshark.masking import Trust, Vault, masked, names_of, secrets_of
from zonewatch.sensor.wireshark.pdml import Dissected, dissect
from zonewatch.sensor.wireshark.tshark import Tshark, TsharkMissing, find

__all__ = ["explain"]

LOOK_AHEAD: Final = 200
"""Frames behind the one asked for, among which tshark looks for the end of its message."""
_POINT: Final = "capture"
_VERDICTS: Final = 6


@dataclass(frozen=True, slots=True)
class _Theirs:
    """What tshark says, masked; why there is nothing is a note."""

    lines: tuple[Line, ...] = ()
    reader: str = ""
    notes: tuple[str, ...] = ()
    vault: Vault | None = None


def explain(capture: Path, frame: int, *, policy: Path | None, assets: Path | None, as_json: bool) -> None:
    """Writes both readings to standard output."""
    if not capture.is_file():
        raise UsageError(f"{capture}: " + ("is a folder; name one capture" if capture.is_dir() else "no such file"))
    declared = read_assets(assets) if assets is not None else ()
    judged = _policy(policy, declared) if policy is not None else None
    reading = read_frame(capture, frame)
    inventory = _inventory(reading, judged, declared)
    theirs = _theirs(capture, reading)
    ours = tuple(_blotted(_ours(reading, inventory, judged), theirs.vault))
    explained = Explained(capture.name, frame, reading.frames, ours, theirs.lines, theirs.reader, theirs.notes)
    if as_json:
        sys.stdout.write(json.dumps(_document(explained, reading), indent=2, allow_nan=False) + "\n")
    else:
        render(explained, Console())
    for note in theirs.notes if as_json else ():
        Console(stderr=True, highlight=False).print(f"zonewatch: {note}", markup=False, soft_wrap=True)
    raise typer.Exit(DONE if theirs.reader and not theirs.notes else PARTIAL)


def _policy(file: Path, declared: Iterable[DeclaredAsset]) -> Policy:
    from zonewatch.rules.policy.load import load_policy

    return load_policy(file, [asset.id for asset in declared])


def _inventory(reading: FrameReading, policy: Policy | None, declared: tuple[DeclaredAsset, ...]) -> Inventory:
    known = declared_assets(policy, declared) if policy is not None else declared
    return build(Tables(**{name: reading.tables[name] for name in INVENTORY_TABLES}), known)


def _theirs(capture: Path, reading: FrameReading) -> _Theirs:
    try:
        tshark = find()
        frames = {reading.frame, reading.ends_in}
        found, problem = dissect(tshark, capture, sorted(frames), max(frames) + LOOK_AHEAD)
        more = {one.completed_in for one in found if one.completed_in is not None} - frames
        if more:
            further, problem = dissect(tshark, capture, sorted(more), max(more))
            found = (*found, *further)
    except (TsharkMissing, OSError) as error:
        return _Theirs(notes=(f"Only zonewatch's own reading: {error}.",))
    if not any(one.frame == reading.frame for one in found):
        return _Theirs(
            notes=(
                f"tshark {tshark.version} did not show frame {number(reading.frame)}: {problem or 'no reason told'}.",
            )
        )
    return _masked(tshark, found, reading, problem)


def _masked(tshark: Tshark, found: tuple[Dissected, ...], reading: FrameReading, problem: str) -> _Theirs:
    layers = [layer for one in found for layer in one.layers]
    known = dictionary(tshark, names_of(layers))
    vault = Vault(secrets_of(layers))
    lines: list[Line] = []
    for one in sorted(found, key=lambda one: (one.frame != reading.frame, one.frame)):
        keep = reading.keep if one.frame == reading.frame else reading.keep_end if one.frame == reading.ends_in else 0
        shown, _ = masked(one.layers, known, Trust(keep), vault)
        if one.frame == reading.frame:
            lines += shown
        else:
            lines.append(Line("", f"Frame {number(one.frame)} completes the message:", below=shown))
    notes = [f"tshark ended early: {problem}."] if problem else []
    notes += ["More lines than are kept: the dissection is cut."] if any(one.cut for one in found) else []
    return _Theirs(tuple(lines), f"tshark {tshark.version}", tuple(notes), vault)


def _blotted(lines: Iterable[Line], vault: Vault | None) -> Iterator[Line]:
    """Ours without what tshark calls a secret, should the engine have told it under another name."""
    for line in lines:
        hidden = vault is not None and vault.holds(line.text)
        text = f"{line.name}: [masked]" if hidden else line.text
        yield Line(line.name, text, hidden, tuple(_blotted(line.below, vault)))


def _document(explained: Explained, reading: FrameReading) -> dict[str, Any]:
    return {
        "explain_version": 1,
        "capture": explained.capture,
        "frame": explained.frame,
        "frames": explained.frames,
        "completed_in": reading.ends_in,
        "zonewatch": lines_json(explained.ours),
        "tshark": {"version": explained.reader.removeprefix("tshark "), "layers": lines_json(explained.theirs)},
        "notes": list(explained.notes),
    }


def _ours(reading: FrameReading, inventory: Inventory, policy: Policy | None) -> Iterator[Line]:
    yield _packet(reading)
    yield from _section("flow", [_flow(row) for row in reading.flows])
    if reading.ends_in != reading.frame:
        told = f"Part of a message that frame {number(reading.ends_in)} completes"
        yield Line("part", told)
    yield from _section("message", [_pdu(row) for row in reading.pdus])
    yield from _section("event", [_event(row) for row in reading.events])
    yield from _section("activity", [_activity(row) for row in reading.activities])
    yield from _section("oddity", [_oddity(row) for row in reading.oddities])
    yield from _section("claim", [_claim(row) for row in reading.claims])
    places = Places(policy, inventory) if policy is not None else None
    known = placed(policy, inventory) if policy is not None else inventory
    yield from _section("asset", list(_assets(reading, known)))
    if places is not None and policy is not None:
        yield from _section("verdict", list(_verdicts(reading, policy, inventory, places)))
    if not (reading.pdus or reading.events or reading.activities):
        yield Line("nothing", "No message of this frame is decoded by zonewatch.")


_HEADS: Final = {
    "flow": "Flow",
    "message": "Message",
    "event": "Event",
    "activity": "Activity of a service",
    "oddity": "Oddity",
    "claim": "Said of a device",
    "asset": "Assets",
    "verdict": "Verdict of the policy",
}


def _section(name: str, lines: list[Line]) -> Iterator[Line]:
    if lines:
        yield Line(name, _HEADS[name], below=tuple(lines))


def _packet(reading: FrameReading) -> Line:
    row = reading.packet
    time = row["first_time"] or 0
    lines = (
        [
            Line("time", f"time {iso_time(time) or 'not told by the file'}"),
            Line(
                "length",
                f"length {counted(row['bytes'], 'byte')}"
                + (f", cut by {row['cut_bytes']}" if row["cut_bytes"] else ""),
            ),
        ]
        if reading.keep is None or not _carries(reading)
        else [Line("time", f"time {iso_time(time) or 'not told by the file'}")]
    )
    lines += [_header(flow) for flow in reading.headers]
    if not reading.headers:
        lines.append(Line("header", "no header that forms a flow: a fragment, or a link type that is not read"))
    return Line("packet", "Packet", below=tuple(lines))


def _carries(reading: FrameReading) -> bool:
    """Whether it is a packet of the internet layer, which may carry a secret whose length its own would tell."""
    return any("." in flow["client"] or ":" in flow["client"] for flow in reading.headers) or not reading.headers


def _header(flow: Row) -> Line:
    forth = flow["packets_out"] > 0
    ends = [
        (flow["client"], flow["client_port"], flow["client_mac"]),
        (flow["server"], flow["server_port"], flow["server_mac"]),
    ]
    sender, receiver = ends if forth else ends[::-1]
    with_ports = flow["transport"] in ("tcp", "udp")
    words = " → ".join(f"{address}:{port}" if with_ports else address for address, port, _ in (sender, receiver))
    macs = f" ({sender[2]} → {receiver[2]})" if sender[2] or receiver[2] else ""
    vlan = f", VLAN {flow['vlan']}" if flow["vlan"] is not None else ""
    return Line("header", f"{flow['transport']} {words}{macs}{vlan}")


def _flow(row: Row) -> Line:
    named_by = f"{row['service']} (by {row['basis']})" if row["service"] else "service not known"
    with_ports = row["transport"] in ("tcp", "udp")
    ends = [f"{row[end]}:{row[f'{end}_port']}" if with_ports else row[end] for end in ("client", "server")]
    lines = [
        Line("service", f"{named_by}{', at a port that is not its own' if row['odd_port'] else ''}"),
        Line(
            "state",
            f"{row['state'].replace('_', ' ')}; frames {number(row['first_frame'])} to {number(row['last_frame'])}",
        ),
        Line(
            "volume",
            f"{counted(row['packets_out'], 'packet')} to the server ({size(row['bytes_out'])}), "
            f"{counted(row['packets_in'], 'packet')} back ({size(row['bytes_in'])})",
        ),
    ]
    lines += [Line("community_id", f"community id {row['community_id']}")] if row["community_id"] else []
    return Line("flow", f"{row['transport']} {ends[0]} → {ends[1]}", below=tuple(lines))


def _function(row: Mapping[str, Any]) -> str:
    code = "" if row["function"] is None else f"function {row['function']} (0x{row['function']:02x})"
    return " ".join(part for part in (code, row["function_name"]) if part)


def _pdu(row: Row) -> Line:
    words = f"{row['protocol']} {row['kind']}: {row['source_address']} → {row['destination_address']}"
    units = " → ".join(row[name] or "-" for name in ("source_unit", "destination_unit"))
    told = (
        ("function", _function(row)),
        ("operation", f"operation {operation(row['operation'])}"),
        ("unit", f"unit {units}" if row["source_unit"] or row["destination_unit"] else ""),
        (
            "link_code",
            f"link code {row['link_code']} (0x{row['link_code']:02x})" if row["link_code"] is not None else "",
        ),
        ("message_type", f"message type {row['message_type']}" if row["message_type"] is not None else ""),
        ("transaction", f"transaction {row['transaction']}" if row["transaction"] is not None else ""),
        ("status", _status(row)),
        ("indications", f"indications 0x{row['indications']:04x}" if row["indications"] is not None else ""),
        ("objects", _first_object(row)),
        ("complete", "" if row["complete"] else "not captured whole"),
    )
    return Line("message", words, below=tuple(Line(name, text) for name, text in told if text))


def _first_object(row: Row) -> str:
    if not row["objects"]:
        return ""
    first = object_words({"kind": row["object_kind"] or "", "start": row["object_start"], "count": row["object_count"]})
    return f"{counted(row['objects'], 'object')}, the first: {first}"


def _status(row: Row) -> str:
    if row["status_code"] is None and not row["status_name"]:
        return ""
    return " ".join(part for part in ("status", _text(row["status_code"]), row["status_name"]) if part)


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _event(row: Row) -> Line:
    head = f"{row['protocol']} {row['client']} → {row['server']}: {_function(row)}"
    outcome = " ".join(part for part in (row["status"].replace("_", " "), _status(row)) if part)
    latency = "" if row["latency"] is None else f"latency {row['latency'] / 1e6:g} ms"
    frames = [
        f"{what} in {'frame' if len(row[name]) == 1 else 'frames'} {', '.join(map(str, row[name][:8]))}"
        + (" …" if len(row[name]) > 8 else "")
        for what, name in (("request", "request_frames"), ("answer", "response_frames"))
        if row[name]
    ]
    told = (
        ("operation", f"operation {operation(row['operation'])}"),
        ("outcome", f"outcome {outcome}"),
        ("latency", latency),
        ("frames", "; ".join(frames)),
        *(("object", object_words(part)) for part in row["objects"]),
    )
    return Line("event", head, below=tuple(Line(name, text) for name, text in told if text))


def _activity(row: Row) -> Line:
    head = f"{row['protocol']} {row['client']} → {row['server']}: {row['action']}"
    told = [("outcome", " ".join(part for part in (row["status"].replace("_", " "), row["code"]) if part))]
    told += [("field", f"{field_words(field['name'])}: {field['value']}") for field in row["fields"]]
    return Line("activity", head, below=tuple(Line(name, text) for name, text in told if text))


def _oddity(row: Row) -> Line:
    place = f"{row['layer']} at octet {row['offset']}"
    what = row["code"].replace("_", " ")
    return Line(
        "oddity",
        f"{row['protocol'] or 'below the protocols'}: {what} in {place}; expected {row['expected']}",
    )


def _claim(row: Row) -> Line:
    unit = f" unit {row['unit']}" if row["unit"] else ""
    return Line(
        "claim", f"{row['address']}{unit}: {row['attribute'].replace('_', ' ')} = {row['value']} (by {row['protocol']})"
    )


def _assets(reading: FrameReading, inventory: Inventory) -> Iterator[Line]:
    assets = {asset.id: asset for asset in inventory.assets}
    ends = dict.fromkeys(flow[end] for flow in reading.headers for end in ("client", "server"))
    for address in ends:
        asset = assets.get(inventory.by_address.get((_POINT, address), ""))
        if asset is not None:
            words = [asset.role.replace("_", " "), *(word for word in (asset.vendor, asset.model) if word)]
            zone = f", zone {asset.zone}" if asset.zone else ""
            yield Line("asset", f"{named(asset)}: {', '.join(words)}{zone}")


def _verdicts(reading: FrameReading, policy: Policy, inventory: Inventory, places: Places) -> Iterator[Line]:
    """Of the combinations that the events (else the flows) of the frame are counted among."""
    tables = reading.tables
    as_of = last_time(tables["coverage"])
    judgement = judge(policy, inventory, tables["aggregates"], tables["events"], as_of, places, tables["flows"])
    rows = [row for row in judgement.rows if any(_is_of(row, event) for event in reading.events)]
    if not reading.events:
        rows = [row for row in judgement.rows if any(_is_flow(row, flow) for flow in reading.flows)]
    found: dict[str, Line] = {}
    for row in rows:
        decision = row.decision
        by = "/".join(part for part in (decision.conduit, decision.flow) if part)
        zones = f"{row.client_zone or 'no zone'} → {row.server_zone or 'no zone'}"
        what = f"{row.seen.protocol} {operation(row.seen.operation)}"
        words = f"{decision.verdict.replace('_', ' ')}: {what}, {zones}"
        below = [Line("flow", f"flow {by}")] if by else []
        below += [Line("reason", decision.reason)] if decision.reason else []
        found.setdefault(f"{words} {by} {decision.reason}", Line("verdict", words, below=tuple(below)))
    yield from list(found.values())[:_VERDICTS]
    if len(found) > _VERDICTS:
        yield Line("verdict", f"… {counted(len(found) - _VERDICTS, 'more verdict')} on objects of the same function")
    yield Line("as_of", f"as of {clock(as_of)}")


def _is_of(row: VerdictRow, event: Row) -> bool:
    seen = row.seen
    if (seen.client, seen.server, seen.protocol, seen.function, seen.operation) != tuple(
        event[name] for name in ("client", "server", "protocol", "function", "operation")
    ):
        return False
    if seen.unit != (event["server_unit"] or ""):
        return False
    if seen.object_start is None or seen.coalesced or not event["objects"]:
        return True
    last = seen.object_start + max(seen.object_count, 1)
    return any(
        part["kind"] == seen.object_kind
        and part["start"] is not None
        and part["start"] < last
        and seen.object_start < part["start"] + max(part["count"], 1)
        for part in event["objects"]
    )


def _is_flow(row: VerdictRow, flow: Row) -> bool:
    seen = row.seen
    ends = (seen.client, seen.server, seen.transport, seen.server_port)
    return ends == (flow["client"], flow["server"], flow["transport"], flow["server_port"])
