"""`zonewatch tags`: the list of tags that gives points of the process their names."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import pyarrow.parquet as pq
import typer

from zonewatch.dissectors import schemas
from zonewatch.inventory.build import build
from zonewatch.inventory.crowd import without_crowds
from zonewatch.inventory.declared import read_assets
from zonewatch.inventory.tables import Tables
from zonewatch.reports.rows import Column, Console, Rows, csv_text
from zonewatch.reports.words import counted
from zonewatch.rules.tags.draft import MOST_ROWS, draft
from zonewatch.rules.tags.learn import learned
from zonewatch.rules.tags.model import Tags
from zonewatch.rules.tags.read import COLUMNS, read_tags
from zonewatch.sensor.decoding import decode
from zonewatch.sensor.inputs import refuse_unreadable
from zonewatch.sensor.pipeline import INVENTORY_TABLES
from zonewatch.sensor.progress import shown
from zonewatch.sensor.results import is_result, read_result
from zonewatch.sensor.sources import sources, total_bytes
from zonewatch.sensor.usage import UsageError

app = typer.Typer(no_args_is_help=True, help="The tag list: names, units, scales and limits of points of the process.")


@app.command("draft")
def draft_(
    inputs: Annotated[
        list[str] | None, typer.Argument(metavar="RESULT|INPUT…", help="The folder of an audit, or captures.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="File to write, instead of standard output; never over one.")] = None,
    assets: Annotated[Path | None, typer.Option(help="Known assets (CSV), for their ids.")] = None,
    source: Annotated[
        list[str] | None,
        typer.Option("--source", metavar="NAME=PATH", help="A capture point with a name of its own. Repeatable."),
    ] = None,
) -> None:
    """A tag list to start from: every point that was seen read or written, with the names that devices gave it."""
    errors = Console(stderr=True, highlight=False)
    if out is not None and out.exists():
        raise UsageError(f"--out {out}: exists already, and may hold work of yours; name another file")
    given = inputs or []
    if len(given) == 1 and not source and is_result(Path(given[0])):
        inventory = read_result(Path(given[0])).inventory
        file = Path(given[0]) / "events.parquet"
        events = pq.read_table(file) if file.is_file() else schemas.EVENTS.empty_table()
    else:
        points = sources(given, source or [])
        with shown(errors, total_bytes(points)) as progress:
            tables = decode(points, progress=progress)
        refuse_unreadable(tables["coverage"].select(["capture", "status", "problem"]).to_pylist(), errors)
        tables, _ = without_crowds(tables)
        listed = read_assets(assets) if assets is not None else ()
        inventory = build(Tables(**{name: tables[name] for name in INVENTORY_TABLES}), listed)
        events = tables["events"]
    known = learned(events, lambda point, address: inventory.by_address.get((point, address), address))
    rows, left = draft(inventory, Tags(known))
    if left:
        errors.print(f"zonewatch: {counted(left, 'point')} beyond the first {MOST_ROWS:,} left out", markup=False)
    text = csv_text(Rows(tuple(Column(name) for name in COLUMNS), rows))
    if out is None:
        sys.stdout.write(text)
    else:
        out.write_text(text, encoding="utf-8", newline="")
        errors.print(f"{counted(len(rows), 'point')} written to {out}", markup=False)


@app.command()
def check(file: Annotated[Path, typer.Argument(metavar="FILE", help="The tag list (CSV).")]) -> None:
    """Read a tag list as an audit does, and say what is in it."""
    tags = read_tags(file)
    safety = sum(tag.safety for tag in tags)
    assets = counted(len({tag.asset for tag in tags}), "asset")
    Console().print(f"{file}: {counted(len(tags), 'tag')} of {assets}, {safety} of them safety", markup=False)
