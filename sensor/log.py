"""`zonewatch log`: the decisions about findings, and whether anybody changed them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, Final

import typer
import typer.core

from zonewatch.sensor.options import Form, FormOption, StoreArgument
from zonewatch.sensor.usage import DONE, FOUND, UsageError

_SHOW: Final = "show"


class _ShowsByDefault(typer.core.TyperGroup):
    """`zonewatch log STORE` is `zonewatch log show STORE`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in (*self.commands, *ctx.help_option_names):
            args = [_SHOW, *args]
        return super().parse_args(ctx, args)


app: Final = typer.Typer(
    cls=_ShowsByDefault,
    no_args_is_help=True,
    help="Decisions about findings, and exports: who, what, why and until when.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
AnchorOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Heads of the log that were kept elsewhere, one a line.")
]


@app.command(_SHOW)
def show(store: StoreArgument, form: FormOption = Form.table) -> None:
    """Every decision and export, the oldest first."""
    from zonewatch.reports.rows import Column, Rows, emit
    from zonewatch.sensor.decisions import ledger

    columns = (
        Column("number", right=True),
        Column("time"),
        Column("who"),
        Column("kind"),
        Column("subject"),
        Column("until", rank=1),
        Column("reason", rank=2),
        Column("document", rank=4),
        Column("hash", rank=3),
    )
    rows = tuple(
        (one.number, one.time, one.who, one.kind, one.subject, one.until, one.reason, one.document, one.hash)
        for one in ledger.read(_existing(store))
    )
    emit(Rows(columns, rows), form.value, sys.stdout)


@app.command()
def head(
    store: StoreArgument,
    anchor: Annotated[Path | None, typer.Option(metavar="FILE", help="Add it to this file as well.")] = None,
) -> None:
    """Number and hash of the last decision: kept elsewhere, they show that the log's end was not cut off."""
    from zonewatch.sensor.decisions import ledger

    found = ledger.read(_existing(store))
    line = f"{found[-1].number} {found[-1].hash}" if found else "0"
    if anchor is not None and found:
        with anchor.open("a", encoding="ascii") as file:
            file.write(f"{line}\n")
    typer.echo(line)


@app.command()
def verify(
    store: StoreArgument,
    anchor: AnchorOption = None,
    at: Annotated[str, typer.Option("--head", metavar="'NUMBER HASH'", help="A head that was written down.")] = "",
    signed: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Signed heads, as `zonewatch log sign` wrote them.")
    ] = None,
    key: Annotated[Path | None, typer.Option(metavar="PUBLIC", help="The public key (PEM) of who signed them.")] = None,
) -> None:
    """Compute the chain again. Ends with 1 and the first broken link where anything was changed, removed or cut off."""
    from zonewatch.reports.words import counted
    from zonewatch.sensor.decisions import ledger
    from zonewatch.sensor.decisions.chain import first_broken, missing_heads
    from zonewatch.sensor.store.report import heads_seen

    decisions = ledger.read(_existing(store))
    heads = [*heads_seen(store), *_heads(anchor), *([_head(at, "--head")] if at else []), *_signed(signed, key)]
    broken = first_broken(decisions) or missing_heads(decisions, heads)
    guards = ledger.missing_guards(store) if (store / ledger.NAME).exists() else ()
    for name in guards:
        typer.echo(f"the guard {name} of {ledger.NAME} was taken out")
    if broken is not None:
        typer.echo(f"decision {broken.number} {broken.why}")
    if broken is not None or guards:
        raise typer.Exit(FOUND)
    typer.echo(
        f"{counted(len(decisions), 'decision')}, {counted(len(set(heads)), 'head')} compared: the chain is whole"
    )
    if decisions:
        typer.echo(f"head of the log: {decisions[-1].number} {decisions[-1].hash}")
    raise typer.Exit(DONE)


@app.command()
def sign(
    store: StoreArgument,
    key: Annotated[Path, typer.Option(metavar="KEY", help="The private key to sign with (Ed25519, PEM).")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Signed heads: one is added. To be kept elsewhere.")],
    pass_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="File with the key's pass phrase; else ZONEWATCH_PASS_PHRASE in the environment."
        ),
    ] = None,
) -> None:
    """Sign the head of the log, and with it all before it; `log verify --signed` checks that."""
    from zonewatch.sensor.decisions import ledger
    from zonewatch.sensor.decisions.chain import Head, first_broken
    from zonewatch.sensor.proof import signing
    from zonewatch.sensor.proof.heads import signed

    decisions = ledger.read(_existing(store))
    if (broken := first_broken(decisions)) is not None:
        raise UsageError(f"the log of decisions is broken at {broken.number}: see `zonewatch log verify {store}`")
    if not decisions:
        raise UsageError(f"{store}: there is no decision to sign yet")
    line = signed(
        Head(decisions[-1].number, decisions[-1].hash), signing.private_key(key, signing.pass_phrase(pass_file))
    )
    with out.open("a", encoding="ascii") as file:
        file.write(line)
    typer.echo(f"head of the log, signed: {decisions[-1].number} {decisions[-1].hash}")


def _signed(file: Path | None, key: Path | None) -> list[Any]:
    if file is None and key is None:
        return []
    if file is None or key is None:
        raise UsageError("--signed FILE --key PUBLIC: both are needed to check signed heads")
    from zonewatch.sensor.proof import signing
    from zonewatch.sensor.proof.heads import heads_signed

    return list(heads_signed(file, signing.public_pem_of(key)))


def _existing(store: Path) -> Path:
    if not store.is_dir():
        raise UsageError(f"{store}: no such folder; STORE is the folder of a sensor")
    return store


def _heads(anchor: Path | None) -> list[Any]:
    if anchor is None:
        return []
    lines = anchor.read_text(encoding="ascii", errors="replace").splitlines()
    return [_head(line, f"{anchor}, line {number}") for number, line in enumerate(lines, 1) if line.strip()]


def _head(text: str, place: str) -> Any:
    from zonewatch.sensor.decisions.chain import Head

    number, _, digest = text.strip().partition(" ")
    if not (number.isdecimal() and len(digest) == 64):
        raise UsageError(f"{place}: number and hash expected, as `zonewatch log head` writes them")
    return Head(int(number), digest)
