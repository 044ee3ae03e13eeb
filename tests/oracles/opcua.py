"""What OPC UA messages of public captures say, ours beside tshark's, as counts of (fact, word).

`python -m tests.oracles.opcua > tests/oracles/opcua.csv` asks tshark 4.0 anew; reasons are then written by hand.
"""

from __future__ import annotations

import csv
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from tests.oracles.compare import CAPTURES, pdus
from zonewatch.dissectors.decoder import CaptureFile, Decoder, Source

LISTED: Final = Path(__file__).with_name("opcua.csv")
PUBLIC: Final = "cisagov__icsnpp-opcua-binary/pcaps/"
NAMES: Final = (
    "EmreEkin__ICS-Pcaps/OPC-UA/opycua_share.pcap",
    "ITI__ICS-Security-Tools/pcaps/OPC/opc-ua-ap-method-wireshark-freeze.pcap",
    *(
        f"{PUBLIC}{name}.pcap"
        for name in (
            "open62541_browse_next",
            "open62541_client-server-getEndpoints",
            "open62541_client-server_encrypted",
            "open62541_client-server_mainloop",
            "open62541_client-server_mainloop-no-handshake",
            "open62541_create_monitored_items",
            "open62541_discover_getendpoints_discover_urls",
            "python_opcua-client-server_encrypted",
            "python_opcua-client-server_minimal",
        )
    ),
)
"""The captures, below the folder of public ones."""
Facts = Counter[tuple[str, str]]

_TSHARK: Final = ("-d", "tcp.port==12001,opcua", "-Y", "opcua", "-T", "pdml", "-J", "opcua")
MODES: Final = ("invalid", "none", "sign", "sign_and_encrypt")
_TOKENS: Final = ("anonymous", "user_name", "certificate", "issued_token")
IDENTITIES: Final = {"321": "anonymous", "324": "user_name", "327": "certificate", "940": "issued_token"}
_ASKED: Final = {
    527: ("browse", "NodesToBrowse", "NodeId"),
    554: ("translate", "BrowsePaths", "StartingNode"),
    631: ("read", "NodesToRead", "NodeId"),
    673: ("write", "NodesToWrite", "NodeId"),
    712: ("call", "MethodsToCall", "MethodId"),
    751: ("monitor", "ItemsToCreate", "NodeId"),
    488: ("add", "NodesToAdd", "RequestedNewNodeId"),
}
"""Requests about nodes: fact, the list, the node of each of its items."""
_ANSWERS: Final = {530: 527, 557: 554, 634: 631, 676: 673, 715: 712, 754: 751, 491: 488}
"""Their answers, each with a list of results."""


def _label(field: ET.Element) -> str:
    return field.get("showname") or field.get("show") or ""


def _inside(parent: ET.Element, label: str) -> ET.Element | None:
    """The first field, at any depth, that has this label."""
    return next((field for field in parent.iter("field") if _label(field).split(":")[0].strip() == label), None)


def _items(parent: ET.Element, label: str) -> list[ET.Element]:
    whole = _inside(parent, label)
    return [] if whole is None else [field for field in whole if _label(field).startswith("[")]


def _shown(parent: ET.Element, name: str) -> str:
    found = parent.find(f".//field[@name='opcua.{name}']")
    return "" if found is None else found.get("show", "")


def _node(parent: ET.Element, label: str) -> str:
    """A node id as it is written (10000-6, 5.1.12)."""
    node = _inside(parent, label)
    if node is None:
        return ""
    namespace = int(_shown(node, "nodeid.nsindex") or 0)
    where = f"ns={namespace};" if namespace else ""
    for letter, name in (("i", "numeric"), ("s", "string"), ("g", "guid"), ("b", "bytestring")):
        found = node.find(f".//field[@name='opcua.nodeid.{name}']")
        if found is not None:
            return f"{where}{letter}={found.get('show')}"
    return ""


def _policy(uri: str) -> str:
    return uri.rpartition("#")[2]


def _asked(service: int, message: ET.Element) -> Iterator[tuple[str, str]]:
    fact, items, field = _ASKED[service]
    for item in _items(message, items):
        node = _node(item, field)
        attribute = _shown(item, "AttributeId")
        if fact == "call":
            count = len(_items(item, "InputArguments"))
            node += f" of {_node(item, 'ObjectId')}, {count} argument{'' if count == 1 else 's'}"
        elif fact == "add":
            parent = _node(item, "ParentNodeId")
            node = f"{parent if node.endswith('i=0') else node} {_shown(item, 'qualname.Name')} below {parent}"
        elif attribute:
            node += f" {int(attribute, 16)}"
        value = _inside(item, "Value") if fact == "write" else None
        variant = None if value is None else next((field for field in value.iter() if _is_number(field)), None)
        yield fact, node if variant is None else f"{node} = {float(variant.get('show', '')):g}"


def _is_number(field: ET.Element) -> bool:
    kinds = ("Byte", "SByte", "Int16", "UInt16", "Int32", "UInt32", "Int64", "UInt64", "Float", "Double")
    return field.get("name", "").removeprefix("opcua.") in kinds


def _status(item: ET.Element) -> int:
    """The upper half of a result's status; good where there is none."""
    own = [item] if item.get("name") == "opcua.Results" else item.findall("field[@name='opcua.StatusCode']")
    return int(own[0].get("show", "0"), 16) >> 16 if own else 0


def _answered(service: int, message: ET.Element) -> Iterator[tuple[str, str]]:
    whole = int(_shown(message, "ServiceResult") or "0", 16) >> 16
    results = _inside(message, "Results") if service in _ANSWERS else None
    items = [] if results is None else [field for field in results if field.get("name") != "opcua.variant.ArraySize"]
    statuses = [_status(item) for item in items]
    for status in statuses:
        yield f"result of {_ASKED[_ANSWERS[service]][0]}", f"{status:#06x}"
    if statuses and all(status >= 0x8000 for status in statuses):
        whole = whole or statuses[0]
    yield "answer", f"{service} {whole:#06x}"


def _endpoints(message: ET.Element) -> Iterator[tuple[str, str]]:
    for endpoint in (*_items(message, "Endpoints"), *_items(message, "ServerEndpoints")):
        tokens = [_TOKENS[int(_shown(item, "UserTokenType"), 16)] for item in _items(endpoint, "UserIdentityTokens")]
        mode = MODES[int(_shown(endpoint, "MessageSecurityMode"), 16)]
        words = ", ".join(dict.fromkeys(tokens))
        url, policy = _shown(endpoint, "EndpointUrl"), _policy(_shown(endpoint, "SecurityPolicyUri"))
        yield "endpoint", f"{mode} {url} {policy}: {words}"


def theirs(capture: str) -> Facts:
    """Tshark's."""
    command = ("tshark", "-r", str(CAPTURES / capture), *_TSHARK)
    xml = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    facts: Facts = Counter()
    for message in ET.fromstring(xml).iter("proto"):
        if message.get("name") != "opcua":
            continue
        service = int(_shown(message, "servicenodeid.numeric") or 0)
        kind = _shown(message, "transport.type")
        if service:
            facts["service", str(service)] += 1
        if kind == "OPN" and (service == 446 or (not service and _shown(message, "transport.scid") == "0")):
            mode = _shown(message, "MessageSecurityMode")
            policy = _policy(_shown(message, "security.spu"))
            facts["channel", f"{MODES[int(mode, 16)] if mode else '-'} {policy}"] += 1
        if kind == "HEL":
            facts["hello", _shown(message, "transport.endpoint")] += 1
        if kind == "ERR":
            facts["error", f"{int(_shown(message, 'transport.error'), 16) >> 16:#06x}"] += 1
        if service in _ASKED:
            facts.update(_asked(service, message))
        if _inside(message, "ResponseHeader") is not None:
            facts.update(_answered(service, message))
        facts.update(_endpoints(message))
        token = _inside(message, "UserIdentityToken")
        if token is not None:
            facts["user", f"{IDENTITIES[_shown(token, 'nodeid.numeric')]} {_shown(token, 'UserName')}".strip()] += 1
    return facts


def _events(path: Path) -> Iterator[dict[str, Any]]:
    decoder = Decoder([Source("x", (CaptureFile(path.name, path),))], detail="events", hash_inputs=False)
    going = True
    while going:
        going = decoder.advance()
        yield from (event for event in decoder.take("events").to_pylist() if event["protocol"] == "opcua")


def _told(event: dict[str, Any]) -> Iterator[tuple[str, str]]:
    function = event["function"]
    objects = [part for part in event["objects"] if part["kind"] in ("node", "node-attribute", "method")]
    if function in _ASKED:
        fact = _ASKED[function][0]
        for part in objects if event["request_frames"] else ():
            word = part["property_name"]
            word += f" {part['property']}" if part["property"] else ""
            word += f" {part['text']}" if fact in ("call", "add") else ""
            word += f" = {part['values'][0]:g}" if fact == "write" and part["values"] else ""
            yield fact, word
        for part in objects if event["response_frames"] else ():
            yield f"result of {fact}", f"{part['status'] or 0:#06x}"
    by_kind = {part["kind"]: part for part in event["objects"]}
    name = event["function_name"]
    if name == "open_secure_channel" and event["request_frames"]:
        mode = by_kind.get("security-mode", {"property_name": "-"})["property_name"]
        yield "channel", f"{mode} {by_kind['security-policy']['property_name']}"
    elif name == "activate_session" and event["request_frames"]:
        user = by_kind["user-token"]
        yield "user", f"{user['property_name']} {user['text']}".strip()
    elif name == "hello":
        yield "hello", by_kind["endpoint"]["text"]
    elif name == "error":
        yield "error", f"{event['status_code']:#06x}"
    for part in event["objects"]:
        if part["kind"] == "endpoint" and name != "hello" and event["response_frames"]:
            yield "endpoint", f"{part['property_name']} {part['text']}"


def ours(capture: str) -> Facts:
    """Ours."""
    facts: Facts = Counter()
    for event in _events(CAPTURES / capture):
        facts.update(_told(event))
    for row in pdus(CAPTURES / capture):
        if row["protocol"] == "opcua" and row["function"] is not None:
            facts["service", str(row["function"])] += 1
            if row["kind"] in ("response", "error", "unsolicited"):
                facts["answer", f"{row['function']} {row['status_code'] or 0:#06x}"] += 1
    return facts


def lines() -> list[dict[str, str]]:
    """The committed list."""
    with LISTED.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def main() -> None:
    """Writes tshark's facts, and where ours are others, ours."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("capture", "fact", "word", "theirs", "ours", "reason"))
    for capture in NAMES:
        there, here = theirs(capture), ours(capture)
        for row in sorted({*there, *here}):
            other = "" if there[row] == here[row] else str(here[row])
            writer.writerow((capture, *row, there[row], other, "?" if other else ""))


if __name__ == "__main__":
    main()
