"""Rules read before, kept in the user's cache folder, so that an audit need not read their files with pySigma again.

    found = rules([Path("rules/detections")])

A cache is of the text of all files, of this version and its taxonomy, and of the placeholders. It holds conditions as
data, never code. One that is damaged, or cannot be written, is as none.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import zonewatch
from zonewatch.rules.sigma import conditions, model
from zonewatch.rules.sigma.files import MOST_BYTES, all_files
from zonewatch.rules.sigma.model import RuleSet
from zonewatch.rules.sigma.taxonomy import FIELDS

if TYPE_CHECKING:
    from zonewatch.rules.sigma.described import Taxonomy
    from zonewatch.rules.sigma.lower import Placeholders

FORMAT: Final = 1
"""Changes with what the rows of `model` and `conditions` mean."""
_ROW: Final = "\x00row"
_ROWS: Final[Mapping[str, type[Any]]] = {
    row.__name__: row
    for row in (
        *(model.Rule, model.Correlation, model.RuleSet),
        *(conditions.Among, conditions.Exact, conditions.Glob, conditions.Regex),
        *(conditions.Text, conditions.Words, conditions.Within, conditions.Compare, conditions.Absent),
        *(conditions.Alike, conditions.Every, conditions.Some, conditions.Not),
    )
}
_LARGEST: Final = 64 * 1024 * 1024


def rules(
    roots: Iterable[Path],
    taxonomy: Taxonomy = FIELDS,
    placeholders: Placeholders | None = None,
    folder: Path | None = None,
) -> RuleSet:
    """The rules of files and folders, from the cache where it has them. Raises RuleErrors."""
    roots = tuple(roots)
    folder = user_folder() if folder is None else folder
    path = folder / f"rules-{_key(roots, taxonomy, placeholders or {})}.json" if folder else None
    found = _read(path) if path else None
    if found is None:
        # pySigma takes half a second to import.
        from zonewatch.rules.sigma.load import load

        found = load(roots, taxonomy, placeholders)
        if path:
            _write(path, found)
    return found


def user_folder() -> Path | None:
    """Where programs keep what they can make again (XDG Base Directory Specification); None for who has no home."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    # A path that is not absolute is to be ignored, says the specification.
    if given and Path(given).is_absolute():
        return Path(given) / "zonewatch"
    try:
        return Path.home() / ".cache" / "zonewatch"
    except RuntimeError:
        return None


def _key(roots: Iterable[Path], taxonomy: Taxonomy, placeholders: Placeholders) -> str:
    digest = hashlib.sha256()

    def add(*parts: str | bytes) -> None:
        for part in parts:
            data = part.encode("utf-8", "surrogateescape") if isinstance(part, str) else part
            digest.update(len(data).to_bytes(8, "big") + data)

    add(zonewatch.__version__, metadata.version("pysigma"), str(FORMAT))
    add(repr([(name, [field.name for field in fields(row)]) for name, row in _ROWS.items()]))
    add(repr([(category, sorted(map(repr, names.values()))) for category, names in taxonomy.items()]))
    add(repr(sorted((name, list(values)) for name, values in placeholders.items())))
    for path in all_files(roots):
        try:
            with path.open("rb") as file:
                add(str(path), file.read(MOST_BYTES + 1))
        except OSError as error:
            add(str(path), str(error))
    return digest.hexdigest()[:32]


def _read(path: Path) -> RuleSet | None:
    try:
        data = path.read_bytes() if path.stat().st_size <= _LARGEST else b""
        digest, _, body = data.partition(b"\n")
        if hashlib.sha256(body).hexdigest().encode() != digest:
            return None
        found = json.loads(body, object_hook=_row)
        os.utime(path)  # one that is used is not among the older ones
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None
    return found if isinstance(found, RuleSet) else None


def _write(path: Path, found: RuleSet) -> None:
    """Beside, then into its place: two audits at once do not disturb each other."""
    try:
        body = json.dumps(found, default=_data, ensure_ascii=True, separators=(",", ":")).encode()
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".rules-", delete=False) as file:
            try:
                file.write(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
                file.close()
                Path(file.name).replace(path)
            except OSError:
                Path(file.name).unlink(missing_ok=True)
                raise
    except (OSError, ValueError, TypeError, RecursionError):
        return
    _only(path)


def _only(path: Path) -> None:
    """Removes older caches of rules, all but the last few."""
    try:
        others = sorted(path.parent.glob("rules-*.json"), key=lambda one: one.stat().st_mtime_ns, reverse=True)
        for old in others[8:]:
            old.unlink(missing_ok=True)
    except OSError:
        return


def _data(row: object) -> dict[str, Any]:
    if not is_dataclass(row):
        raise TypeError
    return {_ROW: type(row).__name__} | {field.name: getattr(row, field.name) for field in fields(row)}


def _row(data: dict[str, Any]) -> object:
    made = {key: _tuple(value) if isinstance(value, list) else value for key, value in data.items()}
    name = made.pop(_ROW, None)
    return made if name is None else _ROWS[str(name)](**made)


def _tuple(values: list[Any]) -> tuple[Any, ...]:
    return tuple(_tuple(value) if isinstance(value, list) else value for value in values)
