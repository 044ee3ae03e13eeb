"""Rule files as queries of a SIEM, each rule by itself: its query, or why it has none there."""

from __future__ import annotations

import copy
import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from sigma.collection import SigmaCollection
from sigma.correlations import SigmaCorrelationRule
from sigma.data import mitre_attack
from sigma.exceptions import SigmaError
from sigma.plugins import InstalledSigmaPlugins
from sigma.rule import SigmaRule

from zonewatch.rules.policy.words import hint
from zonewatch.rules.siem.pipeline import INDEX, MALCOLM, zonewatch, zonewatch_icsnpp

PIPELINES: Final = {"zonewatch": zonewatch, "zonewatch_icsnpp": zonewatch_icsnpp}
INDICES: Final = {"zonewatch": INDEX, "zonewatch_icsnpp": MALCOLM}

_NESTED: Final = "a correlation of correlations has no query there"
_ALIASES: Final = (
    "aliases of a correlation are not known to the backend: group by a field that both stages have (pivot.ip)"
)
_ONE: Final = "a Lucene query sees one document at a time"

LIMITS: Final[Mapping[str, Mapping[str, str]]] = {
    "lucene": {
        **dict.fromkeys(("event_count", "value_count", "temporal", "temporal_ordered"), _ONE),
        "nested": _ONE,
        "aliases": _ONE,
    },
    "eql": {
        "event_count": "a sequence cannot count without naming each event",
        "value_count": "a sequence counts events of one value, not different values",
        "temporal": "a sequence has an order; this rule has none",
        "nested": _NESTED,
        "aliases": _ALIASES,
    },
    "esql": {
        "temporal": "ES|QL has no join of events in time",
        "temporal_ordered": "ES|QL has no order of events",
        "nested": _NESTED,
        "aliases": _ALIASES,
    },
    "splunk": {"temporal_ordered": "the backend has no order of events", "nested": _NESTED},
}
"""Kinds of correlations that a target has no true query for; `nested` is one of correlations, `aliases` one whose
stages call a value differently. The sensor tells them, and ships what it finds."""


class ConvertError(Exception):
    """A target or pipeline that is not there: one line for the user."""


@dataclass(frozen=True, slots=True)
class Converted:
    """A rule at a target: its query, or why it has none."""

    name: str
    title: str
    level: str
    query: str = ""
    reason: str = ""


def targets() -> tuple[str, ...]:
    """The backends that are installed, by name."""
    return tuple(sorted(_installed()))


def _installed() -> dict[str, Any]:
    return dict(InstalledSigmaPlugins.autodiscover(include_pipelines=False, include_validators=False).backends)


def convert(
    files: Iterable[Path],
    target: str,
    pipeline: str = "zonewatch",
    form: str = "default",
    only: frozenset[str] = frozenset(),
) -> Iterator[Converted]:
    """The rules of files at a target, in the order of the files; `only` some by name. Raises ConvertError."""
    known: dict[str, Any] = _installed()
    if target not in known:
        have = ", ".join(sorted(known)) or "none"
        raise ConvertError(
            f"no target {target!r}{hint(target, known)}; installed: {have} (pip install pysigma-backend-…)"
        )
    if pipeline not in PIPELINES:
        raise ConvertError(f"no pipeline {pipeline!r}{hint(pipeline, PIPELINES)}; there are {', '.join(PIPELINES)}")
    forms = getattr(known[target], "formats", {"default": ""})
    if form not in forms:
        raise ConvertError(f"no form {form!r} of {target}{hint(form, forms)}; there are {', '.join(forms)}")
    backend: Any = known[target](processing_pipeline=PIPELINES[pipeline]())
    with _offline():
        for rule, collection in _documents(files):
            if _tells(rule) and (not only or rule.name in only):
                yield _one(rule, collection, backend, target, form, [INDICES[pipeline]])


@contextmanager
def _offline() -> Iterator[None]:
    """Rule forms of a SIEM look techniques up in a list that pySigma fetches; it has those for offices alone. They
    find an empty one here, and the techniques of a rule stay in its tags."""
    with tempfile.TemporaryDirectory() as folder:
        nothing = Path(folder) / "attack.json"
        nothing.write_text('{"objects": []}', encoding="utf-8")
        mitre_attack.set_cache_dir(folder)
        mitre_attack.set_url(str(nothing))
        try:
            yield
        finally:
            mitre_attack.set_cache_dir(str(Path.home() / ".cache" / "pysigma" / "mitre_attack"))


def _documents(files: Iterable[Path]) -> Iterator[tuple[SigmaRule | SigmaCorrelationRule, SigmaCollection]]:
    """Each rule with those that it is made of, of whatever file."""
    texts = [path.read_text(encoding="utf-8-sig") for path in files]
    documents = [document for text in texts for document in yaml.safe_load_all(text) if isinstance(document, dict)]
    known = {key: document for document in documents for key in (document.get("id"), document.get("name")) if key}
    for document in documents:
        # Conversion changes rules: each gets its own.
        parts = copy.deepcopy([*_parts(document, known), document])
        collection = SigmaCollection.from_dicts(parts, resolve_references=False)
        rule: Any = collection.rules[-1]
        yield rule, collection


def _parts(document: Mapping[str, Any], known: Mapping[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """What a correlation is made of, and what that is made of; each once."""
    found: dict[int, dict[str, Any]] = {}
    waiting: list[Mapping[str, Any]] = [document]
    while waiting:
        names = waiting.pop().get("correlation", {}).get("rules", ())
        for name in [names] if isinstance(names, str) else names:
            part = known.get(name)
            if part is not None and part is not document and id(part) not in found:
                found[id(part)] = part
                waiting.append(part)
    return list(found.values())


def _tells(rule: SigmaRule | SigmaCorrelationRule) -> bool:
    own = rule.custom_attributes.get("zonewatch")
    return not (isinstance(own, dict) and own.get("seed"))


def _one(
    rule: SigmaRule | SigmaCorrelationRule,
    collection: SigmaCollection,
    backend: Any,
    target: str,
    form: str,
    index: list[str],
) -> Converted:
    level = rule.level.name.lower() if rule.level is not None else "medium"
    name, title = rule.name or str(rule.id), rule.title
    reason = _limit(rule, collection, target)
    if reason:
        return Converted(name, title, level, reason=reason)
    own: dict[str, Any] = {"tags": [f"{tag.namespace}.{tag.name}" for tag in rule.tags], "index": index}
    if getattr(rule, "license", None):
        own["license"] = rule.license
    try:
        queries = backend.convert(_alone(rule, collection), form)
    # What a backend does not know of a rule it tells by any of these; it becomes the reason in the table of targets.
    except (SigmaError, NotImplementedError, AttributeError, KeyError, TypeError, ValueError) as error:
        return Converted(name, title, level, reason=" ".join(str(error).split()) or type(error).__name__)
    text = queries if isinstance(queries, str) else "\n".join(_text(query, own) for query in queries)
    return Converted(name, title, level, query=text) if text else Converted(name, title, level, reason="no query")


def _text(query: object, own: Mapping[str, Any]) -> str:
    """A query, or the form of a SIEM that holds it: a rule there has what is its own, not what the backend supposes."""
    if isinstance(query, dict) and "rule_id" in query:
        query = {**{name: value for name, value in query.items() if name != "license"}, **own}
    return query if isinstance(query, str) else json.dumps(query, sort_keys=True)


def _limit(rule: SigmaRule | SigmaCorrelationRule, collection: SigmaCollection, target: str) -> str:
    if not isinstance(rule, SigmaCorrelationRule):
        return ""
    limits = LIMITS.get(target, {})
    kinds = [rule.type.name.lower()]
    if rule.aliases and rule.aliases.aliases:
        kinds.append("aliases")
    if any(isinstance(other, SigmaCorrelationRule) for other in _named(rule, collection)):
        kinds.append("nested")
    return next((limits[kind] for kind in kinds if kind in limits), "")


def _named(rule: SigmaCorrelationRule, collection: SigmaCollection) -> list[SigmaRule | SigmaCorrelationRule]:
    """What a correlation reads, those first that others of them read."""
    names = {reference.reference for reference in rule.rules or []}
    found: list[SigmaRule | SigmaCorrelationRule] = []
    for other in collection.rules:
        if isinstance(other, SigmaRule | SigmaCorrelationRule) and {other.name, str(other.id)} & names:
            inner = _named(other, collection) if isinstance(other, SigmaCorrelationRule) and other is not rule else []
            found += [one for one in (*inner, other) if one not in found]
    return found


def _alone(rule: SigmaRule | SigmaCorrelationRule, collection: SigmaCollection) -> SigmaCollection:
    """The rule, with those that it names where it is a correlation."""
    if not isinstance(rule, SigmaCorrelationRule):
        return SigmaCollection([rule])
    alone = SigmaCollection([*_named(rule, collection), rule])
    alone.resolve_rule_references()
    return alone
