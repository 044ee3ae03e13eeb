"""The codes of OPC UA are those of the OPC Foundation's lists (NodeIds.csv, StatusCode.csv), as asyncua has them."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, Final

import pytest

ua = pytest.importorskip("asyncua.ua")

TABLE: Final[dict[str, Any]] = tomllib.loads(
    (Path(__file__).parents[2] / "dissectors" / "tables" / "opcua.toml").read_text(encoding="utf-8")
)
BINARY: Final = "_Encoding_DefaultBinary"
NAMES: Final[dict[int, str]] = {code: name for name, code in vars(ua.ObjectIds).items() if isinstance(code, int)}
GONE: Final = {"test_stack", "test_stack_ex"}
"""In the published lists until 1.03."""
OTHERWISE: Final = {
    "read_annotations": "ReadAnnotationData",
    "read_events": "ReadEvent",
    "update_events": "UpdateEvent",
    "delete_events": "DeleteEvent",
    "event_list": "EventNotificationList",
}
"""Names that are not spelled alike."""


def _spelled(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def test_services() -> None:
    known = {int(code): entry for code, entry in TABLE["functions"].items() if entry["name"] not in GONE}
    for code, entry in known.items():
        name = "ServiceFault" if code == 397 else _spelled(entry["name"]) + entry["kind"].capitalize()
        assert NAMES[code].removesuffix(BINARY).removesuffix("Type") == name
    parts = {"CallMethodRequest", "MonitoredItemCreateRequest", "MonitoredItemModifyRequest"}
    services = {code for code, name in NAMES.items() if re.search(f"(Request|Response)(Type)?{BINARY}$", name)}
    assert {NAMES[code].removesuffix(BINARY) for code in services - set(known)} == parts


def test_status_codes() -> None:
    published = {code >> 16: _snake(name) for name, code in vars(ua.StatusCodes).items() if isinstance(code, int)}
    assert {int(code): entry["name"] for code, entry in TABLE["status_codes"].items()} == published


def test_attributes_and_kinds() -> None:
    for table, kind in (
        ("attributes", ua.AttributeIds),
        ("security_modes", ua.MessageSecurityMode),
        ("application_types", ua.ApplicationType),
    ):
        published = {member.value: _snake(member.name.removesuffix("_")) for member in kind}
        assert {int(code): entry["name"].replace("and_", "and") for code, entry in TABLE[table].items()} == {
            code: name.replace("and_", "and") for code, name in published.items()
        }
    tokens = {"anonymous": "Anonymous", "user_name": "UserName", "certificate": "X509", "issued_token": "Issued"}
    for code, entry in TABLE["identity_tokens"].items():
        assert NAMES[int(code)] == f"{tokens[entry['name']]}IdentityToken{BINARY}"


def test_structures_and_nodes() -> None:
    for code, entry in TABLE["structures"].items():
        found = NAMES[int(code)].removesuffix(BINARY)
        assert found.startswith(OTHERWISE.get(entry["name"], _spelled(entry["name"]))), entry
    for code, entry in TABLE["identity_nodes"].items():
        assert NAMES[int(code)] == f"Server_ServerStatus_BuildInfo_{_spelled(entry['name'])}"
