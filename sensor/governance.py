"""`zonewatch accept`: a finding or an exception is accepted, with who, why and until when; or that is withdrawn."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import typer

from zonewatch.reports.codec import encode
from zonewatch.reports.words import clock, listed, visible
from zonewatch.rules.findings import Owner, Severity
from zonewatch.sensor.decisions import ledger
from zonewatch.sensor.decisions.acceptances import SIDES, Scope, in_force
from zonewatch.sensor.decisions.chain import Decision, first_broken
from zonewatch.sensor.inputs import moment
from zonewatch.sensor.store import reading
from zonewatch.sensor.usage import UsageError

__all__ = ["accept", "accept_exception", "accept_finding", "exception_scope", "withdraw"]

Now = Callable[[], int]


def accept(
    store: Path,
    finding: str,
    *,
    by: str,
    why: str,
    until: str,
    side: Owner | None,
    exception: bool,
    words: Scope,
    withdrawn: int | None,
    now: Now = time.time_ns,
) -> None:
    """Adds the decision that the options describe, and says what it does."""
    if not by.strip() or not why.strip():
        raise UsageError("--by and --why: who decides, and the reason; both are kept")
    if sum((bool(finding), exception, withdrawn is not None)) != 1:
        raise UsageError("accept: name a finding, or --exception with what it is about, or --withdraw NUMBER")
    if not reading.is_store(store):
        raise UsageError(f"{store}: is no store of a sensor")
    if withdrawn is not None:
        typer.echo(withdraw(store, withdrawn, by, why, now))
        return
    end = _end(until, now())
    if exception:
        typer.echo(accept_exception(store, words, by, why, end, now))
    else:
        typer.echo(accept_finding(store, finding, by, why, end, side, now))


def accept_finding(store: Path, name: str, by: str, why: str, until: int, side: Owner | None, now: Now) -> str:
    """A finding is accepted up to the severity that it has. What the decision does, in a sentence."""
    found = reading.finding(store, name)
    if found is None:
        raise UsageError(f"{name}: no such finding in {store}; `zonewatch findings {store}` lists them")
    if side is not None and not SIDES[side] & SIDES[found.owner]:
        raise UsageError(f"--owner {side}: {name} is for {found.owner} to decide")
    _refuse_broken(store)
    scope = Scope(owner=side or found.owner, most=found.severity, finding=name)
    document = {**_document(scope), "title": found.title}
    made = ledger.append(store, now, by, "acceptance", name, why, until=until, document=document)
    return _said(made, visible(found.title), until, _waiting(store, name, found.owner, now()))


def accept_exception(store: Path, scope: Scope, by: str, why: str, until: int, now: Now) -> str:
    """All findings that fit the words are accepted. What the decision does, in a sentence."""
    about = [f"{word} {value}" for word in ("rule", "zone", "conduit", "asset") if (value := getattr(scope, word))]
    if not about:
        raise UsageError("--exception: say what it is about, with --rule, --zone, --conduit or --asset")
    _refuse_broken(store)
    document = _document(scope)
    made = ledger.append(store, now, by, "exception", ", ".join(about), why, until=until, document=document)
    return _said(made, f"findings of {visible(listed(about))}", until, ())


def withdraw(store: Path, number: int, by: str, why: str, now: Now) -> str:
    """An acceptance or exception no longer holds. What that does, in a sentence."""
    held = {one.number for one in in_force(ledger.read(store), now())}
    if number not in held:
        known = f"those in force: {listed(map(str, sorted(held)))}" if held else "none is in force"
        raise UsageError(f"--withdraw {number}: no acceptance or exception in force has this number; {known}")
    _refuse_broken(store)
    made = ledger.append(store, now, by, "withdrawal", str(number), why)
    return f"decision {made.number}: {number} is withdrawn, and what it covered is told again\n{_head(made)}"


def _document(scope: Scope) -> dict[str, object]:
    document: dict[str, object] = {name: value for name, value in encode(scope).items() if value}
    return document


def _refuse_broken(store: Path) -> None:
    if broken := first_broken(ledger.read(store)):
        raise UsageError(f"the log of decisions is broken at {broken.number}: see `zonewatch log verify {store}`")


def _waiting(store: Path, name: str, owner: Owner, at: int) -> tuple[str, ...]:
    held = [one for one in in_force(ledger.read(store), at) if one.scope.finding == name]
    return tuple(sorted(SIDES[owner] - frozenset(side for one in held for side in SIDES[one.scope.owner])))


def _said(made: Decision, what: str, until: int, waiting: tuple[str, ...]) -> str:
    more = f"; it stays open until {listed(waiting)} accepts it too" if waiting else ""
    return f"decision {made.number}: {what}: accepted until {clock(until)}{more}\n{_head(made)}"


def _head(made: Decision) -> str:
    return f"head of the log: {made.number} {made.hash}"


def _end(text: str, now: int) -> int:
    """A moment, or a day with the whole of it."""
    if not text:
        raise UsageError("--until: until when it is accepted, such as 2027-03-31")
    end = moment("--until", text)
    assert end is not None
    if len(text.strip()) == len("2027-03-31"):
        end += int(timedelta(days=1).total_seconds()) * 1_000_000_000
    if end <= now:
        today = datetime.fromtimestamp(now // 1_000_000_000, UTC).date()
        raise UsageError(f"--until {text}: has passed; today is {today}")
    return end


def exception_scope(side: Owner | None, most: Severity | None, **words: str) -> Scope:
    """With the defaults of an exception: both sides, any severity."""
    return Scope(owner=side or "both", most=most or "critical", **words)
