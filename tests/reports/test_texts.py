"""The catalogue of sentences: every language has the same keys and parameters, and nothing lies there unused."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from zonewatch.dissectors.vocabulary import OPERATIONS, Attribute, FlowState, OddityCode, Status
from zonewatch.inventory.model import ROLES, Confidence, Posture
from zonewatch.reports import entity, watched
from zonewatch.reports.catalogue.load import attack, fact_kinds
from zonewatch.reports.catalogue.model import Observable
from zonewatch.reports.document import model
from zonewatch.reports.document.model import Span
from zonewatch.reports.drawings.heatmap import Sight
from zonewatch.reports.drawings.zones import LINK_KINDS
from zonewatch.reports.facts.measure import MEASURED
from zonewatch.reports.facts.model import REASONS, FactStatus
from zonewatch.reports.graph import SCRIPT_WORDS
from zonewatch.reports.packs.asked import NEEDED
from zonewatch.reports.packs.nis2_sheets import SHEETS
from zonewatch.reports.packs.requirements import PACKS
from zonewatch.reports.result import Capture
from zonewatch.reports.second_opinion import REASONS as SECOND_REASONS
from zonewatch.reports.statuses import STATUSES
from zonewatch.reports.texts import LANGUAGES, TextError, load_texts
from zonewatch.reports.words import LEVEL_WORDS, SECOND
from zonewatch.rules.findings import SEVERITIES, VERDICTS, Owner
from zonewatch.rules.paths import Basis, Level, Origin
from zonewatch.rules.policy.model import Conduit, Criticality, ZoneKind
from zonewatch.rules.policy.records import Designation, Requirement
from zonewatch.sensor.decisions.chain import KINDS
from zonewatch.sensor.proof.checking import SignatureState, State
from zonewatch.sensor.proof.rerun import OUTCOMES

ROOT = Path(__file__).resolve().parents[2]
EN = load_texts("en")
FAMILIES = {
    "severity": set(SEVERITIES),
    "verdict": set(VERDICTS),
    "owner": set(get_args(Owner)),
    "operation": set(OPERATIONS),
    "role": set(ROLES),
    "posture": set(get_args(Posture)),
    "level": {f"{level:g}" for level in LEVEL_WORDS},
    "origin": set(get_args(model.Origin)) - {""},
    "note": set(get_args(model.NoteKind)),
    "link": set(LINK_KINDS) | {"unjudged"},
    "state": {"open", "accepted", "resolved"},
    "status": {"whole", "partial", "unreadable"},
    "fact": set(fact_kinds()),
    "fact_status": set(get_args(FactStatus)),
    "requirement_status": set(STATUSES),
    "why": set(REASONS),
    "value": {name for how in MEASURED.values() for name in how.values} | {"periods", "told", "waiting"},
    "sector": set(entity.SECTORS),
    "service": set(entity.SERVICES),
    "classification": set(entity.CLASSES),
    "needed": {key for _, key in NEEDED} | {"other"},
    "example": {one.key for sheet in SHEETS for one in sheet.examples} | {"yes", "no", "attached", "for_point"},
    "place": {one.place for sheet in SHEETS for one in sheet.examples if one.place},
    "gap": set(get_args(get_type_hints(watched.Gap)["why"])),
    "period_state": {*get_args(get_type_hints(watched.WatchedPeriod)["state"]), "not_kept"},
    "decision": set(KINDS) - {"export"},
    "preface": {"title"} | {f"{name}.{part}" for name in PACKS for part in ("title", "what", "binding", "question")},
    "permit": {"exception", "maintenance", "over", "holds"},
    "record_status": set(get_args(Requirement.model_fields["status"].annotation)),
    "zone_kind": set(get_args(ZoneKind)),
    "safety": set(get_args(Designation)),
    "criticality": set(get_args(Criticality)),
    "conduit_kind": set(get_args(Conduit.model_fields["kind"].annotation)),
    "direction": set(get_args(Conduit.model_fields["direction"].annotation)),
    "tactic": {name.replace("-", "_") for name in attack().tactics},
    "sight": set(get_args(Sight)),
    "second_reason": set(SECOND_REASONS),
    "outcome": {one.replace(" ", "_") for one in OUTCOMES},
    "file_state": set(get_args(State)),
    "signature": {one.replace(",", "").replace(" ", "_") for one in get_args(SignatureState)},
    "passive": set(get_args(Observable)),
    "basis": set(get_args(Basis)),
    "origin_of": {name.replace(" ", "_") for name in get_args(Origin)},
    "indicator": {"address", "mac", "user"},
    "mark": {name for verdict in VERDICTS for name in (verdict, f"{verdict}.meaning")},
    "act": set(SEVERITIES),
    "obeys": set(get_args(Posture)),
    "sure": set(get_args(Confidence)),
    "oddity": set(get_args(OddityCode)),
    "claim": {*get_args(Attribute), "role"},
    "flow_state": set(get_args(FlowState)),
    "ended": set(get_args(Status)) - {""},
    "path_level": set(get_args(Level)),
    "path_head": set(get_args(Basis)),
    "way": set(get_args(Basis)),
    "way_from": {name.replace(" ", "_") for name in get_args(Origin)},
    "script": set(SCRIPT_WORDS),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_keys_and_parameters(language: str) -> None:
    texts = load_texts(language)
    assert list(texts.templates) == list(EN.templates)
    wrong = {key for key, own in texts.templates.items() if own.parameters != EN.templates[key].parameters}
    assert wrong == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_forms_by_count_have_a_count_and_no_forbidden_word(language: str) -> None:
    for key, template in load_texts(language).templates.items():
        if template.one != template.other:
            assert "count" in template.parameters, key
        told = "".join(literal for literal, _ in (*template.one, *template.other)).lower()
        assert not re.search(r"complian|konform|\bmet\b|\bscore of\b", told), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_key_stands_twice(language: str) -> None:
    """YAML would take the last one, and another chapter would say what this one means."""
    text = (ROOT / "reports" / "texts" / f"{language}.yaml").read_text(encoding="utf-8")
    keys = Counter(re.findall(r"^([A-Za-z0-9_.-]+):", text, re.MULTILINE))
    assert [key for key, count in keys.items() if count > 1] == []


def test_no_text_is_left_unused() -> None:
    """A key is used where it is written out, or where a member of its family is asked for."""
    sources = "".join(
        path.read_text(encoding="utf-8")
        for folder in ("reports", "sensor")
        for kind in ("*.py", "*.j2")
        for path in (ROOT / folder).rglob(kind)
    )
    families = set(re.findall(r"f\"([a-z0-9_.]+)\.\{", sources)) | set(
        re.findall(r"word\([\"']([a-z_]+)[\"']", sources)
    )
    members = set(re.findall(r"[\"']([a-z0-9_]+)[\"']", sources)) | set(Capture.__dataclass_fields__)

    def used(key: str) -> bool:
        family, _, member = key.rpartition(".")
        if family in families and member in members:
            return True
        short = key.removesuffix(".meaning").removesuffix(".statement")
        return f'"{key}"' in sources or (short != key and used(short))

    assert [key for key in EN.templates if key.partition(".")[0] not in FAMILIES and not used(key)] == []


@pytest.mark.parametrize("family", FAMILIES)
def test_every_word_of_a_vocabulary_has_its_text(family: str) -> None:
    own = {key.removeprefix(f"{family}.") for key in EN.templates if key.startswith(f"{family}.")}
    assert FAMILIES[family] <= own
    extra = {"level": {"unknown", "number"}, "severity": {f"{name}.meaning" for name in SEVERITIES}}
    assert own - FAMILIES[family] == extra.get(family, set())


@pytest.mark.parametrize(
    ("language", "number", "size", "length", "counted"),
    [
        ("en", "1,234,567", "4.1 MB", "1 hour 1 minute", "1 byte"),
        ("de", "1.234.567", "4,1 MB", "1 Stunde 1 Minute", "1 Byte"),
    ],
)
def test_numbers_sizes_and_lengths_are_those_of_the_language(
    language: str, number: str, size: str, length: str, counted: str
) -> None:
    texts = load_texts(language)
    assert texts.number(1_234_567) == number
    assert texts.size(4_132_618) == Span(size, value=4_132_618)
    assert texts.duration(3_661 * SECOND) == length
    assert texts.say("unit.byte", count=1) == counted
    assert texts.say("unit.byte", count=2).startswith("2 ")


def test_a_sentence_takes_spans_and_keeps_them() -> None:
    link = Span("valve", "finding", "record-1")
    spans = EN.text("actions.item", remedy="Close it.", finding=link, number="F-1", owner="OT")
    assert link in spans
    assert "".join(span.text for span in spans) == "valve (F-1). Do: Close it. For: OT; name and date: OPEN."


def test_what_there_is_no_text_for_is_a_mistake() -> None:
    with pytest.raises(TextError, match="no text 'nothing'"):
        EN.say("nothing")
    with pytest.raises(TextError, match=r"given \['begin', 'end'\], wanted \['end', 'start'\]"):
        EN.say("period", begin="a", end="b")
    with pytest.raises(TextError, match="no language 'xx'"):
        load_texts("xx")
