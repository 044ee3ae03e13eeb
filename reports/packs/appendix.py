"""What stands at the end: the inventory, the connections, the words, and who signs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from zonewatch.inventory.model import Asset
from zonewatch.reports.document.model import Paragraph, Section, Signature, SignOff, Span, Table, Text, text
from zonewatch.reports.packs.material import Material, columns
from zonewatch.reports.result import edge_key, edge_verdicts, worst
from zonewatch.reports.tables import by_place
from zonewatch.reports.words import label, posture, product
from zonewatch.rules.findings import VERDICTS, Verdict

__all__ = ["appendices", "sign_off"]

_ROLES: Final = ("prepared", "reviewed", "accepted")


def sign_off(material: Material) -> Section:
    """Blank until people sign: the tool never fills it."""
    texts = material.texts
    rows = tuple(Signature(texts.say(f"sign.{role}"), texts.say(f"sign.{role}.statement")) for role in _ROLES)
    return Section("sign-off", texts.say("sign.title"), (Paragraph(texts.text("sign.lead")), SignOff(rows)))


def appendices(material: Material) -> Section:
    """Tables that the sections before rest on."""
    texts = material.texts
    return Section(
        "appendices",
        texts.say("appendices.title"),
        (),
        (
            Section("inventory", texts.say("inventory.title"), (_assets(material),)),
            Section("connections", texts.say("connections.title"), (_edges(material),)),
            Section("words", texts.say("words.title"), (_words(material), Paragraph(texts.text("words.standards")))),
        ),
    )


def _assets(material: Material) -> Table:
    texts = material.texts
    rows = tuple(
        (
            text(Span(label(asset), "asset")),
            text(Span(", ".join(asset.addresses or asset.macs), "code")),
            text(texts.word("role", asset.role)),
            text(" ".join(part for part in (product(asset), asset.firmware) if part)),
            text(material.zone(asset.zone)),
            text(material.level(asset.purdue)) if asset.purdue is not None else (),
            text(asset.criticality),
            _authentication(material, asset),
        )
        for asset in by_place(material.result)
    )
    described = columns(
        texts,
        ("name", 1.3),
        ("address", 1.5),
        ("role", 1.1),
        ("product", 1.6),
        ("zone", 1.4),
        ("level", 0.7),
        ("criticality", 0.8),
        ("authentication", 1.1),
    )
    return Table(
        "table-assets", described, rows, texts.say("inventory.caption"), texts.text("inventory.note"), heads=True
    )


def _authentication(material: Material, asset: Asset) -> Text:
    weakest = posture(asset)
    return () if weakest is None else material.texts.text(f"posture.{weakest.posture}")


def _edges(material: Material) -> Table:
    texts, result = material.texts, material.result
    verdicts = edge_verdicts(result)
    names = {asset.id: text(Span(label(asset), "asset")) for asset in result.inventory.assets}
    told: dict[Verdict | None, Text] = {None: (), **{word: text(material.verdict(word)) for word in VERDICTS}}
    said = _Once(text)
    operations = _Once(lambda words: text(", ".join([texts.word("operation", word) for word in words])))
    flows = _Once(lambda pairs: text(Span(", ".join(_flows(pairs)), "code")) if pairs else ())
    rows = []
    for edge in result.inventory.edges:
        found = verdicts.get(edge_key(edge), ())
        rows.append(
            (
                names.get(edge.client) or text(Span(edge.client, "asset")),
                names.get(edge.server) or text(Span(edge.server, "asset")),
                said[edge.protocol],
                operations[edge.operations],
                material.number(edge.events) if edge.ot else (),
                material.number(edge.packets),
                told[worst({row.verdict for row in found})],
                flows[tuple([(row.conduit, row.flow) for row in found])],
            )
        )
    described = columns(
        texts,
        ("client", 1.4),
        ("server", 1.4),
        ("protocol", 0.9),
        ("operations", 1.1),
        ("exchanges", 0.8, "right"),
        ("packets", 0.8, "right"),
        ("verdict", 1.0),
        ("flow", 1.6),
    )
    return Table("table-connections", described, tuple(rows), texts.say("connections.caption"))


class _Once(dict[Any, Text]):
    """What comes again in row after row is put into words once."""

    def __init__(self, made: Callable[[Any], Text]) -> None:
        super().__init__()
        self._made = made

    def __missing__(self, key: Any) -> Text:
        found = self[key] = self._made(key)
        return found


def _flows(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """Each flow once, after its conduit."""
    return [flow for flow in dict.fromkeys("/".join(filter(None, pair)) for pair in pairs) if flow]


def _words(material: Material) -> Table:
    texts = material.texts
    names = ("zone", "conduit", "target", "finding", "evidence", "exchange", "violation", "unzoned", "cannot_conclude")
    rows = tuple((texts.text(f"glossary.{name}"), texts.text(f"glossary.{name}.meaning")) for name in names)
    return Table(
        "table-words", columns(texts, ("word", 1.0), ("meaning", 4.0)), rows, texts.say("words.caption"), heads=True
    )
