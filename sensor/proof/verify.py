"""`zonewatch verify`: a report's files, its signature, and its findings judged again on their packets."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.progress import track

from zonewatch import __version__
from zonewatch.reports.codec import encode
from zonewatch.reports.evidence import file_name
from zonewatch.reports.json_result import ResultError, loads
from zonewatch.reports.proof import given
from zonewatch.reports.proof.given import GIVEN, RESULT, GivenError, GivenFiles
from zonewatch.reports.proof.manifest import Manifest
from zonewatch.reports.quoted import translated
from zonewatch.reports.result import AuditResult, ordered
from zonewatch.reports.rows import Column, Console, Rows, emit
from zonewatch.reports.texts import Texts, load_texts
from zonewatch.reports.words import visible
from zonewatch.sensor.pipeline import Given
from zonewatch.sensor.proof.checking import BAD, Differing, Signature, differing, read_manifest, signature, trusted
from zonewatch.sensor.proof.inputs import read_given, rule_set
from zonewatch.sensor.proof.rerun import OUTCOMES, Judged, judged
from zonewatch.sensor.usage import DONE, FOUND, PARTIAL, UsageError

__all__ = ["Verified", "outcome", "show", "verified"]

VERIFY_VERSION: Final = 1
_MOST_SHOWN: Final = 20
"""Files that differ of which each is a line on the terminal."""


@dataclass(frozen=True, slots=True)
class Verified:
    """All that was checked."""

    files: int  # named by the manifest
    differing: tuple[Differing, ...]
    signature: Signature
    findings: tuple[Judged, ...]
    notes: tuple[str, ...]


def verified(folder: Path, key: Path | None, console: Console) -> Verified:
    """Checks a folder. Raises UsageError where it is none, and for a key that is none."""
    told, octets = read_manifest(folder)
    found = differing(folder, told)
    signed = signature(folder, told, octets, key)
    bad = {one.name: one for one in found}
    names = {row.name for row in told.outputs}
    result = _result(folder, told, bad, RESULT if RESULT in names else "result.json")
    if result is None:
        notes: tuple[str, ...] = ("no finding was judged: the result is not there as the manifest names it",)
        return Verified(len(told.outputs), found, signed, (), notes)
    files = _given_files(folder, told, bad)
    notes = tuple(_notes(told, files))
    lacking = _lacking(result, files, bad)
    try:
        judge = read_given(folder, files, result.as_of) if not lacking else Given(as_of=result.as_of)
    except (ValueError, OSError) as error:  # the lists, policies and rules of all kinds say what is wrong with them
        raise UsageError(f"{visible(str(folder))}: what the audit was given cannot be read: {error}") from None
    rows = track(
        ordered(result).findings, "judging again", console=console, transient=True, disable=not console.is_terminal
    )
    again = (judged(one, trusted(folder, told, bad, file_name(one.id)), result, judge, lacking) for one in rows)
    order = sorted(again, key=lambda one: OUTCOMES.index(one.outcome))
    return Verified(len(told.outputs), found, signed, tuple(order), notes)


def _result(folder: Path, told: Manifest, bad: Mapping[str, Differing], name: str) -> AuditResult | None:
    octets = trusted(folder, told, bad, name)
    if octets is None:
        return None
    try:
        return loads(octets.decode("utf-8", errors="replace"))
    except ResultError as error:
        raise UsageError(f"{visible(str(folder / name))}: {error}") from None


def _given_files(folder: Path, told: Manifest, bad: Mapping[str, Differing]) -> GivenFiles:
    octets = trusted(folder, told, bad, GIVEN)
    if octets is None:
        return GivenFiles(1, (), rule_set(()))
    try:
        return given.loads(octets)
    except GivenError as error:
        raise UsageError(f"{visible(str(folder))}: {error}") from None


def _lacking(result: AuditResult, files: GivenFiles, bad: Mapping[str, Differing]) -> str:
    """What the audit judged by and is not in the folder."""
    if gone := [row.copy for row in files.files if row.copy in bad]:
        return f"{gone[0]} is not as the manifest names it"
    if result.policy.given and not any(row.kind == "policy" and row.copy for row in files.files):
        return "the folder holds no copy of the policy"
    return ""


def _notes(told: Manifest, files: GivenFiles) -> Iterator[str]:
    if told.tool.version != __version__:
        yield f"written by version {visible(told.tool.version)}, judged again by {__version__}"
    now = rule_set(row.sha256 for row in files.files if row.kind in ("rules", "detection"))
    if told.rules is not None and told.rules.sha256 != now.sha256:
        yield "the rules of this installation are not those of the audit: a finding may not hold for that"
    if told.pseudonyms:
        yield "names and addresses are pseudonyms: hashes of captures and policy are those of the real ones"


def outcome(found: Verified) -> int:
    """The exit code: 1 where anything is not as it was told, 3 where something could not be checked."""
    if found.differing or found.signature.state in BAD or any(one.outcome == "does not hold" for one in found.findings):
        return FOUND
    return PARTIAL if found.signature.state == "not checked" or not _judged(found) else DONE


def _judged(found: Verified) -> bool:
    return not any("no finding was judged" in note for note in found.notes)


def document(found: Verified) -> dict[str, Any]:
    """For programs."""
    counts = Counter(one.outcome for one in found.findings)
    return {
        "verify_version": VERIFY_VERSION,
        "tool": {"name": "zonewatch", "version": __version__},
        "exit_code": outcome(found),
        "files": {"named": found.files, "differing": encode(found.differing)},
        "signature": encode(found.signature),
        "outcomes": {name: counts[name] for name in OUTCOMES},
        "findings": encode(found.findings),
        "notes": list(found.notes),
    }


def show(found: Verified, out: Console, texts: Texts) -> None:
    """The check for people."""
    columns = (
        Column("outcome", texts.say("verify.column.outcome")),
        Column("severity", texts.say("verify.column.severity"), rank=2),
        Column("rule", texts.say("verify.column.rule"), rank=2),
        Column("title", texts.say("verify.column.finding"), rank=1),
        Column("why", texts.say("verify.column.why"), rank=1),
        Column("id", "ID", rank=3),
    )
    rows = tuple(
        (
            texts.word("outcome", one.outcome.replace(" ", "_")),
            texts.word("severity", one.severity),
            one.rule,
            _quoted(one.title, texts),
            "; ".join(_quoted(part, texts) for part in one.why.split("; ")),
            one.finding,
        )
        for one in found.findings
    )
    if rows:
        emit(Rows(columns, rows, texts.say("verify.title")), "table", sys.stdout)
    for line in _lines(found, texts):
        out.print(line, markup=False, soft_wrap=True)


def _quoted(words: str, texts: Texts) -> str:
    """What the check or a rule says in English, in the language where its file has it."""
    return translated(words, texts.language) or words


def _lines(found: Verified, texts: Texts) -> Iterator[str]:
    for one in found.differing[:_MOST_SHOWN]:
        why = f": {_quoted(one.why, texts)}" if one.why else ""
        yield f"{texts.word('file_state', one.state)}: {visible(one.name)}{why}"
    if len(found.differing) > _MOST_SHOWN:
        yield texts.say("verify.more", count=len(found.differing) - _MOST_SHOWN)
    for note in found.notes:
        yield texts.say("verify.note", note=_quoted(note, texts))
    same = found.files - sum(one.state != "extra" for one in found.differing)
    extra = sum(one.state == "extra" for one in found.differing)
    yield texts.say("verify.files", same=same, count=found.files, extra=extra)
    state = texts.word("signature", found.signature.state.replace(",", "").replace(" ", "_"))
    yield texts.say("verify.signature", state=state, why=_quoted(found.signature.why, texts))
    if found.signature.key_sha256:
        yield texts.say("verify.key", sha256=found.signature.key_sha256)
    counts = Counter(one.outcome for one in found.findings)
    told = ", ".join(
        f"{texts.word('outcome', name.replace(' ', '_'))} {texts.number(counts[name])}"
        for name in reversed(OUTCOMES)
        if counts[name]
    )
    yield texts.say("verify.findings", told=told or texts.say("verify.none"))


def verify(folder: Path, key: Path | None, *, as_json: bool, language: str = "en") -> int:
    """Checks a folder and says so in a language; the exit code."""
    found = verified(folder, key, Console(stderr=True))
    out = Console(highlight=False)
    if as_json:
        out.file.write(json.dumps(document(found), indent=2) + "\n")
    else:
        show(found, out, load_texts(language))
    return outcome(found)
