"""Every word that the decoders may say can be written in a policy."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from zonewatch.rules.policy.words import OBJECT_KINDS, is_protocol, nearest

TABLES = Path(__file__).parents[3] / "dissectors" / "tables"


def _table(name: str) -> dict[str, Any]:
    return tomllib.loads((TABLES / f"{name}.toml").read_text("utf-8"))


def test_services() -> None:
    names = {
        row["name"]
        for table in _table("services").values()
        if isinstance(table, dict)
        for row in table.values()
        if isinstance(row, dict) and "name" in row
    }
    assert names
    assert sorted(name for name in names if not is_protocol(name)) == []


def test_tunnels() -> None:
    source = (TABLES.parent / "src" / "net" / "tunnel.rs").read_text("utf-8")
    names = set(re.findall(r'(?:Tunnel::new|ppp)\("([^"]+)"', source.partition("#[cfg(test)]")[0]))
    assert {"erspan", "vxlan", "gre"} <= names
    assert sorted(name for name in names if not is_protocol(name)) == ["pppoe"], "no flow of its own"


def test_object_kinds() -> None:
    kinds = {row["name"] for row in _table("bacnet")["object_types"].values()}
    kinds |= {row["kind"] for row in _table("dnp3")["objects"].values() if "kind" in row}
    kinds |= {row["kind"] for row in _table("modbus")["functions"].values() if "kind" in row}
    assert kinds
    assert sorted(kinds - OBJECT_KINDS) == []


def test_nearest_word() -> None:
    assert nearest("Modbos", ["bacnet", "modbus"]) == "modbus"
    assert nearest("xyz", ["bacnet", "modbus"]) == ""
