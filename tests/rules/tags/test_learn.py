"""Names that devices say of their points, and the draft of a tag list made of them."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from tests.inventory.network import network, talk
from tests.rules.plant import AS_OF, HMI, PLC_1, POLICY, inventory, of_rule, policy, write
from tests.tables import rows
from zonewatch.dissectors import schemas
from zonewatch.inventory.build import build
from zonewatch.inventory.model import Inventory
from zonewatch.rules.engine import audit
from zonewatch.rules.policy.declared import declared_assets
from zonewatch.rules.tags.draft import draft
from zonewatch.rules.tags.learn import LONGEST, learned
from zonewatch.rules.tags.model import Tag, Tags
from zonewatch.rules.tags.read import COLUMNS


def item(
    kind: str, start: int, name: str, text: str = "", values: tuple[float, ...] = (), **more: Any
) -> dict[str, Any]:
    empty = dict.fromkeys(("type_number", "variation", "property", "index", "priority", "status"))
    told = {"kind": kind, "start": start, "count": 1, "property_name": name, "text": text, "values": list(values)}
    return {**empty, "before": [], **told, **more}


def event(number: int, *objects: dict[str, Any], status: str = "ok", operation: str = "read") -> dict[str, Any]:
    return {
        "event": number,
        "source": "tap",
        "capture": "a.pcap",
        "time": number,
        "protocol": "bacnet",
        "transport": "udp",
        "client": HMI,
        "server": PLC_1,
        "server_port": 47808,
        "kind": "request",
        "function": 12,
        "function_name": "read_property",
        "operation": operation,
        "status": status,
        "request_frames": [number],
        "reason": "new",
        "objects": list(objects),
    }


def names(*events: dict[str, Any]) -> tuple[Tag, ...]:
    return learned(rows(schemas.EVENTS, events), lambda source, address: f"{source}/{address}")


def test_names_descriptions_and_units() -> None:
    assert names(
        event(1, item("analog-value", 4, "object-name", "LSHH-101"), item("analog-value", 4, "units", values=(98,))),
        event(2, item("analog-value", 4, "description", "High-level trip")),
        event(3, item("analog-input", 1, "description", "Air\tin")),
    ) == (
        Tag("tap/10.20.11.11", "analog-input", 1, protocol="bacnet", name="Air in", learned=True),
        Tag(
            "tap/10.20.11.11",
            "analog-value",
            4,
            protocol="bacnet",
            name="LSHH-101",
            description="High-level trip",
            engineering_unit="%",
            learned=True,
        ),
    )


def test_what_is_no_name_of_a_point() -> None:
    assert (
        names(
            event(1, item("device", 1, "object-name", "AHU")),
            event(2, item("analog-value", 1, "object-name", "refused"), status="error"),
            event(3, item("analog-value", 1, "present-value", values=(1,))),
            event(4, item("analog-value", 1, "units", values=(95,))),
            event(
                5, item("analog-value", 1, "units", values=(-1,)), item("analog-value", 1, "object-name", "\x00\x1b")
            ),
        )
        == ()
    )


def test_the_last_word_counts_and_is_bounded() -> None:
    (tag,) = names(
        event(2, item("analog-value", 1, "object-name", "x" * 500)),
        event(1, item("analog-value", 1, "object-name", "first")),
    )
    assert tag.name == "x" * LONGEST


def _bacnet(tags: tuple[Tag, ...] = (), **written: Any) -> Any:
    events = [
        event(1, item("analog-value", 4, "object-name", "LSHH-101"), item("analog-value", 4, "units", values=(98,))),
        event(
            2,
            item("analog-value", 4, "present-value", values=(100.0,), before=[92.0], **written),
            operation="write",
        ),
    ]
    more = {"protocol": "bacnet", "object_kind": "analog-value", "object_start": 4, "object_count": 1}
    tables = network(talks=[talk(HMI, PLC_1, "write", **more, property_name="present-value")])
    given: dict[str, pa.Table] = {"aggregates": tables.aggregates, "events": rows(schemas.EVENTS, events)}
    used = policy(POLICY)
    return audit(build(tables, declared_assets(used)), given, used, AS_OF, tags=tags)


def test_a_learned_name_is_told_and_a_declared_one_wins() -> None:
    def sentences(*tags: Tag) -> list[str]:
        return [change.sentence for item in _bacnet(tags).findings for change in item.changes]

    assert "LSHH-101 set from 92 % to 100 %" in sentences()
    declared = Tag("plc-1", "analog-value", 4, name="LT-1", engineering_unit="m")
    assert "LT-1 set from 92 m to 100 m" in sentences(declared)
    assert not any("LSHH-101" in text for text in sentences(declared))


def test_learned_names_make_no_findings_of_limits() -> None:
    assert of_rule(_bacnet(), "process.limit") == []


def _cells(found: Inventory, tags: tuple[Tag, ...] = ()) -> list[dict[str, str]]:
    drafted, left = draft(found, Tags(tags))
    assert left == 0
    return [{name: cell for name, cell in zip(COLUMNS, row, strict=True) if cell} for row in drafted]


def test_a_draft_has_every_point_seen() -> None:
    found = inventory([write(HMI, PLC_1, 100, [1, 2]), talk(HMI, PLC_1, object_start=101, object_count=2)])
    assert [(cells["address"], cells["kind"], cells["note"]) for cells in _cells(found)] == [
        ("40101", "holding-register", f"written by {HMI}"),
        ("40102", "holding-register", f"written by {HMI}; read by {HMI}"),
        ("40103", "holding-register", f"read by {HMI}"),
    ]


def test_a_draft_takes_learned_names() -> None:
    more = {"protocol": "bacnet", "object_kind": "analog-value", "object_start": 4, "object_count": 1}
    found = inventory([talk(HMI, PLC_1, **more, property_name="present-value")])
    (cells,) = _cells(found, (Tag(PLC_1, "analog-value", 4, name="LSHH-101", engineering_unit="%", learned=True),))
    assert (cells["name"], cells["engineering_unit"]) == ("LSHH-101", "%")
