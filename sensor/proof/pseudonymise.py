"""`zonewatch pseudonymise`, and reports with pseudonyms."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
import typer

from zonewatch.reports.attestations import Attestation
from zonewatch.reports.compare.model import Edition
from zonewatch.reports.entity import NOBODY, Entity
from zonewatch.reports.evidence import file_name
from zonewatch.reports.json_result import dumps
from zonewatch.reports.proof import given
from zonewatch.reports.proof.given import GIVEN
from zonewatch.reports.proof.pcapng import PcapngError
from zonewatch.reports.pseudonyms import captures, columns, fields
from zonewatch.reports.pseudonyms.beside import tell_beside
from zonewatch.reports.pseudonyms.keyed import KEY_BYTES, Keyed
from zonewatch.reports.pseudonyms.payloads import Known, known
from zonewatch.reports.pseudonyms.words import Words
from zonewatch.reports.result import AuditResult, ordered
from zonewatch.reports.rows import Console
from zonewatch.reports.words import counted, visible
from zonewatch.reports.write import COLUMNS, write_evidence, write_octets, write_result
from zonewatch.sensor.proof.given_names import pseudonymised_inputs, tell_inputs
from zonewatch.sensor.proof.inputs import write_inputs
from zonewatch.sensor.proof.packing import Result, read
from zonewatch.sensor.results import read_span
from zonewatch.sensor.usage import DONE, PARTIAL, UsageError

__all__ = [
    "Hidden",
    "drawn",
    "edition_with_pseudonyms",
    "hidden",
    "key_of",
    "pseudonymise",
    "tables_of",
    "with_pseudonyms",
]

_NOTE: Final = (
    "Names and addresses are pseudonyms: the same one stands for the same thing, addresses of one network stay in one, "
    "and the key that makes them is kept elsewhere."
)
_MOST_KEY_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class Hidden:
    """A result with pseudonyms, and what of it could not be told."""

    source: Result
    tables: Mapping[str, bytes]  # parquet, by the name of the file
    left_out: tuple[str, ...]  # sentences
    words: Words  # by which names are hidden


def key_of(path: Path) -> bytes:
    """The key of a file: its octets, but for white space around them. Raises UsageError and OSError."""
    with path.open("rb") as file:
        octets = file.read(_MOST_KEY_BYTES + 1).strip()
    if not KEY_BYTES <= len(octets) <= _MOST_KEY_BYTES:
        raise UsageError(
            f"{path}: a key of pseudonyms has {KEY_BYTES} to {_MOST_KEY_BYTES} octets: openssl rand -hex 32"
        )
    return octets


def drawn(path: Path) -> bytes:
    """A new key, in a file that only its owner can read. Never over a file that exists."""
    octets = secrets.token_hex(KEY_BYTES).encode()
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(octets + b"\n")
    except FileExistsError:
        raise UsageError(f"{path}: exists already; give it with --key to use it") from None
    return octets


def tables_of(folder: Path) -> dict[str, pa.Table]:
    """The tables beside a result, by the names of their files. Raises UsageError for what is no such table."""
    found = {}
    for name in COLUMNS:
        path = folder / name
        if path.is_file():
            try:
                found[name] = pq.read_table(path)
            except pa.ArrowException as error:
                raise UsageError(f"{visible(str(path))}: cannot be read: {visible(str(error), 200)}") from None
    return found


def hidden(
    source: Result,
    tables: Mapping[str, pa.Table],
    key: bytes,
    entity: Entity = NOBODY,
    attested: Iterable[Attestation] = (),
) -> Hidden:
    """Everything with pseudonyms by one key. Raises UsageError for a result that nobody knows to hide.

    Names of persons in the entity's file and in attestations are hidden in the result too.
    """
    words = Words(Keyed(key), fields.plain_words(source.result))
    try:
        tell_beside(words, entity, attested)
        fields.gather(source.result, words)
        for table in tables.values():
            columns.gather(table, words)
        tell_inputs(source.files, words)
        made = ordered(fields.pseudonymised(ordered(source.result), words))
        told = {name: _parquet(columns.pseudonymised(table, words)) for name, table in tables.items()}
    except KeyError as error:
        raise UsageError(f"pseudonyms: nobody knows what {error} holds; it may be of a later version") from None
    secret = known(_addresses(source.result, tables), words.names, words.keyed)
    evidence, unread = _evidence(source, words, secret)
    inputs, withheld = pseudonymised_inputs(source.files, words)
    rows = tuple(row for row in made.evidence if file_name(row.finding) in evidence)
    made = replace(made, evidence=rows, limits=(*made.limits, _NOTE))
    files = {**inputs, **evidence}
    left_out = (*withheld, *([f"{counted(unread, 'mini capture')} could not be read, left out"] if unread else []))
    return Hidden(Result(made, dumps(made).encode(), files, pseudonyms=True), told, tuple(left_out), words)


def _evidence(source: Result, words: Words, secret: Known) -> tuple[dict[str, bytes], int]:
    """Mini captures by their new names, and how many could not be read."""
    found, unread = {}, 0
    for finding in source.result.findings:
        octets = source.files.get(file_name(finding.id))
        if octets is None:
            continue
        try:
            new = fields.pseudonymised_finding(finding, words).id
            found[file_name(new)] = captures.pseudonymised(octets, words, secret)
        except PcapngError:
            unread += 1
    return found, unread


def _addresses(result: AuditResult, tables: Mapping[str, pa.Table]) -> Iterable[str]:
    found: dict[str, None] = {}
    for asset in result.inventory.assets:
        found.update(dict.fromkeys((*asset.addresses, *asset.macs)))
        found.update(dict.fromkeys(claim.value for claim in asset.claims if claim.attribute in ("address", "mac")))
    for table in tables.values():
        for name in ("client", "server"):
            found.update(dict.fromkeys(map(str, table[name].unique().to_pylist())))
    return found


def _parquet(table: pa.Table) -> bytes:
    out: Any = BytesIO()
    pq.write_table(table, out, compression="zstd", store_schema=False)
    octets: bytes = out.getvalue()
    return octets


def pseudonymise(result: Path, out: Path, key: Path | None, language: str = "en") -> None:
    """Writes a result with pseudonyms into a folder of its own."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(
            f"--out {out}: is there already; name a folder that is new or empty, so that nothing real is in it"
        )
    secret = key_of(key) if key is not None else drawn(out.with_name(f"{out.name}.key"))
    folder = result if result.is_dir() else result.parent
    found = hidden(read(result, *read_span(result, None, None)), tables_of(folder), secret)
    out.mkdir(parents=True, exist_ok=True)
    for name, octets in found.tables.items():
        write_octets(out / name, octets)
    files = found.source.files
    write_evidence({Path(name).stem: octets for name, octets in files.items() if name.endswith(".pcapng")}, out)
    write_inputs({name: octets for name, octets in files.items() if given.is_ours(name)}, out)
    write_result(found.source.result, out, language=language, pseudonyms=True)
    say(found.left_out)
    if key is None:
        typer.echo(f"Key of the pseudonyms: {visible(str(out))}.key: keep it, and never beside the result")
    typer.echo(f"Result with pseudonyms: {visible(str(out))}")
    raise typer.Exit(PARTIAL if found.left_out and GIVEN not in files else DONE)


def with_pseudonyms(path: Path, source: Result, key: Path, entity: Entity, attested: Iterable[Attestation]) -> Hidden:
    """What a report is made of, with pseudonyms by the key of a file; what is left out is said."""
    found = hidden(source, tables_of(path if path.is_dir() else path.parent), key_of(key), entity, attested)
    say(found.left_out)
    return found


def edition_with_pseudonyms(one: Edition, path: Path, key: Path) -> Edition:
    """An earlier edition under the same pseudonyms: the same key makes the same ones of the same names."""
    tables = tables_of(path) if path.is_dir() else {}
    found = hidden(Result(one.result, b"", {}), tables, key_of(key))
    sha256 = hashlib.sha256(found.source.text).hexdigest()
    return Edition(found.words.name("file", one.name), found.source.result, sha256)


def say(sentences: Iterable[str]) -> None:
    """One line on standard error for each thing that is left out."""
    errors = Console(stderr=True, highlight=False)
    for line in sentences:
        errors.print(f"zonewatch: {line}", markup=False, soft_wrap=True)
