"""What `docs/adding-a-protocol.md` asks for is there, for every protocol and every service."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from zonewatch.dissectors.vocabulary import OPERATIONS, PROTOCOLS, SERVICES

ROOT: Final = Path(__file__).resolve().parents[1]
ENGINE: Final = ROOT / "dissectors"
GOLDEN: Final = ROOT / "tests" / "golden"
TITLE: Final = ("name", "title", "standard", "client", "server")


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def table(protocol: str) -> dict[str, Any]:
    return tomllib.loads(text(ENGINE / "tables" / f"{protocol}.toml"))


def has_code(protocol: str) -> bool:
    folder = ENGINE / "src" / "protocols"
    return (folder / f"{protocol}.rs").is_file() or (folder / protocol / "mod.rs").is_file()


def has_golden_capture(protocol: str) -> bool:
    captures = sorted((ROOT / "pcaps" / protocol).glob("*.pcap"))
    wanted = [f"{protocol}-{path.stem}.{detail}.jsonl" for path in captures for detail in ("events", "pdus")]
    return bool(wanted) and all((GOLDEN / name).is_file() for name in wanted)


def has_fuzz_target(protocol: str) -> bool:
    bins = tomllib.loads(text(ENGINE / "fuzz" / "Cargo.toml"))["bin"]
    path = f"targets/{protocol}.rs"
    return (ENGINE / "fuzz" / path).is_file() and {"name": protocol, "path": path}.items() <= _named(bins, protocol)


def _named(bins: list[dict[str, Any]], name: str) -> Any:
    return next((entry for entry in bins if entry["name"] == name), {}).items()


NEEDED: Final[dict[str, Callable[[str], bool]]] = {
    "code in dissectors/src/protocols/": has_code,
    "a line in registry.rs": lambda name: f" {name}::probe_" in text(ENGINE / "src/registry.rs").replace("[", " "),
    "a table with its title": lambda name: {*TITLE} <= table(name).get("protocol", {}).keys(),
    "its own name in the table": lambda name: table(name).get("protocol", {}).get("name") == name,
    "a capture in pcaps/ with golden files": has_golden_capture,
    "a word in vocabulary.py": PROTOCOLS.__contains__,
    "a fuzz target": has_fuzz_target,
    "a row in docs/adding-a-protocol.md": lambda name: f"\n| `{name}` |" in text(ROOT / "docs/adding-a-protocol.md"),
}


def missing(protocol: str) -> list[str]:
    return [what for what, is_there in NEEDED.items() if not is_there(protocol)]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_nothing_is_missing(protocol: str) -> None:
    assert missing(protocol) == []


def registered() -> set[str]:
    """Modules that the registry asks."""
    return set(re.findall(r"\b(\w+)(?:::\w+)*::probe_", text(ENGINE / "src" / "registry.rs")))


@pytest.mark.parametrize("module", sorted(registered()))
def test_what_is_asked_has_a_file(module: str) -> None:
    folder = ENGINE / "src" / "protocols"
    assert (folder / f"{module}.rs").is_file() or (folder / module / "mod.rs").is_file()


DOCUMENTED: Final = frozenset(
    word
    for line in text(ROOT / "docs/adding-a-protocol.md").splitlines()
    if line.startswith("| `")
    for word in re.findall(r"`([\w-]+)`", line.split("|")[1])
)
SHOWN: Final = frozenset(
    word
    for path in GOLDEN.glob("services-*.jsonl")
    for word in re.findall(r'"(?:protocol|service)": "([\w-]+)"', text(path))
)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_a_row_and_a_capture(service: str) -> None:
    assert service in DOCUMENTED, "a row in docs/adding-a-protocol.md"
    assert service in SHOWN, "a capture in pcaps/services/ with a golden file"


def test_what_is_missing_is_named() -> None:
    assert missing("nonesuch") == list(NEEDED)


@pytest.mark.parametrize("path", sorted((ENGINE / "tables").glob("*.toml")), ids=lambda path: path.stem)
def test_tables_use_the_closed_list_of_operations(path: Path) -> None:
    sections = tomllib.loads(text(path)).items()
    entries = [entry for name, section in sections if name != "protocol" for entry in section.values()]
    assert entries
    assert {entry["operation"] for entry in entries if "operation" in entry} <= {*OPERATIONS}
