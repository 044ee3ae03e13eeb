"""What rules say, in the language of a report: nothing is lost on the way, and hostile names cost no time."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from zonewatch.reports.catalogue.load import fact_kinds, framework
from zonewatch.reports.quoted import book, translated
from zonewatch.rules.context import sentence
from zonewatch.rules.detectors import DETECTORS
from zonewatch.rules.sigma.detect import load_detection

ROOT = Path(__file__).resolve().parents[2]
BOOK = book("de")
assert BOOK is not None


@pytest.mark.parametrize(
    ("english", "german"),
    [
        ("Allow SSH version 2 only.", "Nur SSH Version 2 zulassen."),
        (
            "A controller was stopped: hmi to plc and 3 more",
            "Eine Steuerung wurde angehalten: hmi an plc und 3 weitere",
        ),
        ("A controller was stopped: a to b to plc", "Eine Steuerung wurde angehalten: a to b to plc"),
        ("hmi-1 changed values of plc-2", "hmi-1 änderte Werte von plc-2"),
        ("5 devices obey modbus without authentication", "5 Geräte gehorchen modbus ohne Authentisierung"),
        (
            "The identification of a device was read: a to b, c and 12 more",
            "Die Kennung eines Geräts wurde gelesen: a nach b, c und 12 weitere",
        ),
        ("Of 1 connection only one direction was captured: whether the other side answered cannot be said.", None),
        (
            "Dose set from 1 to 24 by eng-1, and 3 values more",
            "Dose von 1 auf 24 gesetzt durch eng-1, und 3 weitere Werte",
        ),
        ("nothing that a rule says", ""),
        ("", ""),
        (" changed values of ", ""),
        ("changed values of plc-2", ""),
    ],
)
def test_a_sentence_is_told_with_what_came_out_of_the_traffic(english: str, german: str | None) -> None:
    found = translated(english, "de")
    assert found == german if german is not None else found.startswith("Von 1 Verbindung wurde nur")


def test_english_and_unknown_languages_are_left_as_they_are() -> None:
    assert translated("Allow SSH version 2 only.", "en") == ""
    assert translated("Allow SSH version 2 only.", "xx") == ""


def test_names_stay_as_they_are_and_in_their_order() -> None:
    for parts, told in BOOK.holed:
        names = [f"name-{number}" for number in range(len(parts) - 1)]
        english = "".join(part + name for part, name in zip(parts, [*names, ""], strict=True))
        assert translated(english, "de") or told  # an earlier sentence may hold it
        holes = re.findall(r"\{([0-9]?)s?\}", told)
        assert all(hole == "" for hole in holes) is (len(holes) == len(parts) - 1) or any(holes), english
        assert len(holes) <= len(parts) - 1


def test_every_remedy_of_a_detector_and_every_title_of_a_requirement_is_there() -> None:
    assert [detector.id for detector in DETECTORS if not translated(detector.remedy, "de")] == []
    titles = [row.title for row in framework("iec62443-3-3").requirements]
    assert [title for title in titles if not translated(title, "de")] == []


def test_every_remedy_of_a_rule_is_there() -> None:
    rules = load_detection().rules
    told = [one for one in (*rules.rules, *rules.correlations) if one.remedy and one.level != "informational"]
    assert sorted({one.title for one in told if not translated(one.title, "de")}) == []
    remedies = {one.remedy.strip() for one in (*rules.rules, *rules.correlations) if one.remedy}
    assert len(remedies) > 200
    assert sorted(words for words in remedies if not translated(words, "de")) == []


def test_what_every_rule_says_and_where_it_is_harmless_is_there() -> None:
    rules = load_detection().rules
    every = (*rules.rules, *rules.correlations)
    said = {sentence(one.description.strip()) for one in every if one.description}
    harmless = {words for one in every for words in one.false_positives}
    assert len(said) > 200 < len(harmless)
    assert sorted(words for words in said | harmless if not translated(words, "de")) == []


def test_every_measure_and_limit_of_a_fact_is_there() -> None:
    said = {words for kind in fact_kinds().values() for words in (kind.measured, kind.limits) if words}
    assert sorted(words for words in said if not translated(words, "de")) == []


@pytest.mark.parametrize(
    ("english", "german"),
    [
        (
            "Whoever sees the packet has the password. ot.value 7; ot.status ok. Seen 12 times at 4 servers.",
            "Wer das Paket sieht, hat das Passwort. ot.value 7; ot.status ok. 12 Mal an 4 Servern gesehen.",
        ),
        ("Somebody's own rule says this. Seen 12 times.", ""),
        (
            "traffic suggests IT host: uses tls, recognised by content, first in a.pcap frame 7",
            "der Verkehr spricht für IT-Rechner: nutzt tls, am Inhalt erkannt, zuerst in a.pcap Frame 7",
        ),
        (
            "high: A controller was stopped: hmi to plc, and 2 more of this kind",
            "hoch: Eine Steuerung wurde angehalten: hmi an plc, und 2 weitere dieser Art",
        ),
        ("a set from 1 to 2 in a sentence that goes on.", ""),
        (
            "2 different values within 3,600 s; 2 are asked",
            "2 verschiedene Werte innerhalb von 3.600 s; verlangt sind 2",
        ),
        (
            "13.6 kB of traffic were recognised neither by content nor by port (tcp 49): what it does is not in this"
            " report.",
            "13,6 kB Verkehr wurden weder am Inhalt noch am Port erkannt (tcp 49): Was er tut, steht nicht in diesem"
            " Bericht.",
        ),
    ],
)
def test_sentences_lead_follow_and_stand_within_others(english: str, german: str) -> None:
    assert translated(english, "de") == german


def test_no_remedy_is_of_a_rule_that_is_gone() -> None:
    sources = " ".join(
        path.read_text(encoding="utf-8")
        for name in ("inventory", "rules", "reports", "sensor")
        for path in (ROOT / name).rglob("*.py")
    )
    rules = " ".join(path.read_text(encoding="utf-8") for path in (ROOT / "rules/detections").rglob("*.yml"))
    data = " ".join(path.read_text(encoding="utf-8") for path in (ROOT / "reports/catalogue/data").glob("*.yaml"))
    told = re.sub(r'"\s*f?"|\s+', " ", sources) + re.sub(r"\s+", " ", rules + data).replace("''", "'")
    gone = [words for words in BOOK.whole if words not in told and words[:40] not in told]
    assert gone == []


def test_a_hostile_name_costs_no_time() -> None:
    name = " to ".join(["x"] * 20_000)
    began = time.process_time()
    translated(f"A value was set by hand: {name}", "de")
    translated(f"{name} set from {name} to {name} by {name}", "de")
    translated(f"high: critical: {name}; {name}. {name}. Seen {name}, first in {name} frame {name}", "de")
    translated(". ".join(["x"] * 20_000), "de")
    translated("high: " * 5_000, "de")
    assert time.process_time() - began < 2


def test_of_known_beginnings_the_longest_is_taken() -> None:
    short = "The controller no longer carries out its program; its outputs go to what is configured for a stop."
    told = translated(f"{short} In production that is rare. Seen 1 time.", "de")
    assert told.startswith(translated(short, "de"))
    assert "In der Produktion ist das selten." in told
    assert "rare" not in told
