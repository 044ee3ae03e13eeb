"""Rule files to a `RuleSet`, or everything that is wrong with them.

    rules/own/modbus.yml:12:9: unknown field 'ot.operatoin' of ot_operation; did you mean 'ot.operation'?

What pySigma is needed for it imports when the first file is read: a cache of rules read before does without.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from zonewatch.rules.policy.document import Place
from zonewatch.rules.policy.words import hint
from zonewatch.rules.sigma.conditions import Among, Text, Tree, every
from zonewatch.rules.sigma.described import Reader, Taxonomy
from zonewatch.rules.sigma.detection import detection
from zonewatch.rules.sigma.files import all_files
from zonewatch.rules.sigma.lower import Placeholders
from zonewatch.rules.sigma.model import Correlation, Described, Rule, RuleError, RuleErrors, RuleSet
from zonewatch.rules.sigma.related import related
from zonewatch.rules.sigma.source import parse, read
from zonewatch.rules.sigma.taxonomy import FIELDS, PRODUCT

SERVICE: Final = "network.protocol"
"""The field that `logsource: {service: …}` is compared with."""
_IDENTITY: Final = ("source.asset.id", "destination.asset.id", "asset.id")
"""What a record is about, where its rule names no identity."""
_LOGSOURCE: Final = ("product", "category", "service", "definition")


def load(roots: Iterable[Path], taxonomy: Taxonomy = FIELDS, placeholders: Placeholders | None = None) -> RuleSet:
    """The rules of files and folders. Raises RuleErrors."""
    found, errors = inspect(roots, taxonomy, placeholders)
    if errors:
        raise RuleErrors(errors)
    return found


def inspect(
    roots: Iterable[Path],
    taxonomy: Taxonomy = FIELDS,
    placeholders: Placeholders | None = None,
    beside: Iterable[Path] = (),
) -> tuple[RuleSet, tuple[RuleError, ...]]:
    """The rules that nothing is wrong with, and what is wrong with the others.

    Those of `beside` may be named, and their names are taken; they are no part of what is found.
    """
    own = list(all_files(roots))
    others = list(all_files((*own, *beside)))[len(own) :]
    unreadable: list[RuleError] = []
    readers: list[Reader] = []
    for path in (*others, *own):
        documents, unread = read(path, str(path))
        unreadable += unread
        readers += [Reader(str(path), document) for document in documents]
    everything, errors = _inspected(readers, unreadable, taxonomy, placeholders or {})
    paths = set(map(str, own))
    found = RuleSet(
        tuple(row for row in everything.rules if row.path in paths),
        tuple(row for row in everything.correlations if row.path in paths),
    )
    errors = tuple(error for error in errors if error.path in paths)
    return found, errors or (tuple(_unless(found, everything)) if others else ())


def _unless(found: RuleSet, everything: RuleSet) -> Iterator[RuleError]:
    """Names under `unless` that no rule has."""
    known = {row.name for row in (*everything.rules, *everything.correlations)}
    for row in (*found.rules, *found.correlations):
        for name in row.unless:
            if name not in known:
                yield RuleError(row.path, row.line, 1, f"{row.name}: no rule {name!r} for 'unless'{hint(name, known)}")


def parsed(
    text: str, name: str = "rule.yml", taxonomy: Taxonomy = FIELDS, placeholders: Placeholders | None = None
) -> RuleSet:
    """The rules of a text; `name` is what errors call it. Raises RuleErrors."""
    documents, unread = parse(text, name)
    readers = [Reader(name, document) for document in documents]
    found, errors = _inspected(readers, list(unread), taxonomy, placeholders or {})
    if errors:
        raise RuleErrors(errors)
    return found


def _inspected(
    readers: list[Reader], errors: list[RuleError], taxonomy: Taxonomy, placeholders: Placeholders
) -> tuple[RuleSet, tuple[RuleError, ...]]:
    made: list[tuple[Reader, Rule | Correlation]] = []
    for reader in readers:
        if reader.errors:
            continue
        is_correlation = "correlation" in reader.values
        row = _correlation(reader) if is_correlation else _rule(reader, taxonomy, placeholders)
        if row is not None:
            made.append((reader, row))
    _unique(made)
    made = _resolved(made)
    _checked(made, taxonomy)
    for reader in readers:
        errors += reader.errors
    good = [row for reader, row in made if not reader.errors]
    rules = tuple(row for row in good if isinstance(row, Rule))
    correlations = tuple(_whole(rules, [row for row in good if isinstance(row, Correlation)]))
    return RuleSet(rules, correlations), RuleErrors(errors).errors


def _rule(reader: Reader, taxonomy: Taxonomy, placeholders: Placeholders) -> Rule | None:
    described = reader.described()
    source = _logsource(reader, taxonomy)
    if source is None:
        return None
    category, service = source
    fields = taxonomy[category]
    for number, name in enumerate(described["shown"]):
        reader.field(("fields", number), name, fields, category)
    for number, name in enumerate(described.get("identity", ())):  # of the file; those of `Described` stand for none
        reader.field(("zonewatch", "identity", number), name, fields, category)
    for key in ("match", "differ"):
        for number, record in enumerate(described.get(key, ())):
            for name in record:
                reader.field(("zonewatch", key, number, name), name, fields, category, key=True)
    if "identity" not in described and (ends := tuple(name for name in _IDENTITY if name in fields)):
        described["identity"] = ends
    condition = detection(reader, category, fields, placeholders)
    if condition is None or reader.errors:
        return None
    return Rule(category=category, service=service, condition=_of_service(service, condition), **described)


def _of_service(service: str, condition: Tree) -> Tree:
    return every([Text(SERVICE, (Among((service.lower(),)),)), condition]) if service else condition


def _logsource(reader: Reader, taxonomy: Taxonomy) -> tuple[str, str] | None:
    source = reader.values.get("logsource")
    if not isinstance(source, dict):
        reader.wrong((), "needs a logsource with product and category")
        return None
    place: Place = ("logsource",)
    before = len(reader.errors)
    reader.keys(place, source, _LOGSOURCE, "logsource")
    product, category, service = source.get("product", PRODUCT), source.get("category"), source.get("service", "")
    if product != PRODUCT:
        reader.wrong((*place, "product"), f"unknown product {product!r}; records here are of {PRODUCT!r}")
    if reader.word((*place, "category"), category, taxonomy, "category") and service:
        if not isinstance(service, str):
            reader.wrong((*place, "service"), "service has to be a text")
        elif SERVICE not in taxonomy[str(category)]:
            reader.wrong((*place, "service"), f"records of {category} have no service")
    return None if len(reader.errors) > before else (str(category), service)


def _correlation(reader: Reader) -> Correlation | None:
    described = reader.described()
    described.pop("seed", None)
    found = related(reader)
    return Correlation(**described, **found) if found is not None and not reader.errors else None


def _unique(made: Iterable[tuple[Reader, Described]]) -> None:
    """Notes ids and names that another document has."""
    first: dict[tuple[str, str], Described] = {}
    for reader, row in made:
        for key, value in (("id", row.id.lower()), ("name", row.name)):
            other = first.setdefault((key, value), row) if value else row
            if other is not row:
                reader.wrong((key,), f"{key} {value!r} is also that of {other.path}:{other.line}")


def _resolved(made: list[tuple[Reader, Rule | Correlation]]) -> list[tuple[Reader, Rule | Correlation]]:
    """References to ids become names; those to nothing, and circles, are noted."""
    names = {row.name: row.name for _, row in made} | {row.id: row.name for _, row in made if row.id}
    found: list[tuple[Reader, Rule | Correlation]] = []
    for reader, row in made:
        if isinstance(row, Correlation):
            for number, reference in enumerate(row.rules):
                if reference not in names:
                    reader.wrong(
                        ("correlation", "rules", number), f"unknown rule {reference!r}{hint(reference, names)}"
                    )
            for alias, meant in row.aliases:
                for reference, _ in meant:
                    if reference not in row.rules:
                        place: Place = ("correlation", "aliases", alias, reference)
                        reader.wrong(place, f"{reference!r} is none of its rules{hint(reference, row.rules)}", key=True)
            aliases = tuple(
                (alias, tuple((names.get(rule, rule), field) for rule, field in meant)) for alias, meant in row.aliases
            )
            row = replace(row, rules=tuple(names.get(rule, rule) for rule in row.rules), aliases=aliases)
        found.append((reader, row))
    _circles(found)
    return found


def _circles(made: Iterable[tuple[Reader, Rule | Correlation]]) -> None:
    made = list(made)
    inner = {row.name: row for _, row in made if isinstance(row, Correlation)}
    for reader, row in made:
        if isinstance(row, Correlation) and row.name in _below(row.name, inner):
            reader.wrong(("correlation", "rules"), "a correlation that is made of itself")


def _below(name: str, inner: Mapping[str, Correlation]) -> set[str]:
    found: set[str] = set()
    waiting = list(inner[name].rules)
    while waiting:
        one = waiting.pop()
        if one in inner and one not in found:
            waiting += inner[one].rules
        found.add(one)
    return found


def _checked(made: Iterable[tuple[Reader, Rule | Correlation]], taxonomy: Taxonomy) -> None:
    """Notes fields of correlations that the records of their rules do not have."""
    made = list(made)
    rules = {row.name: row for _, row in made}
    for reader, row in made:
        if not isinstance(row, Correlation) or reader.errors:
            continue
        for part, names in (("group-by", row.by), ("condition", row.counted)):
            for name, rule in ((name, rules.get(rule)) for name in names for rule in row.rules):
                if rule is None:
                    continue
                field = row.field_of(name, rule.name)
                known = taxonomy[rule.category] if isinstance(rule, Rule) else dict.fromkeys(rule.by)
                if field not in known:
                    near = hint(field, known)
                    reader.wrong(("correlation", part), f"unknown field {field!r} of {rule.name}{near}")


def _whole(rules: tuple[Rule, ...], correlations: list[Correlation]) -> Iterator[Correlation]:
    """The correlations all of whose rules are good."""
    known: dict[str, Any] = {rule.name: rule for rule in rules} | {row.name: row for row in correlations}
    inner = {row.name: row for row in correlations}
    for row in correlations:
        if _below(row.name, inner) <= known.keys():
            yield row
