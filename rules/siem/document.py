"""What each target has queries for, as the tables of docs/siem.md: `python -m zonewatch.rules.siem.document`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Final

from zonewatch.rules.siem.convert import LIMITS, Converted, convert
from zonewatch.rules.sigma.detect import BUNDLED
from zonewatch.rules.sigma.files import files

TARGETS: Final = (
    ("lucene", "zonewatch"),
    ("eql", "zonewatch"),
    ("esql", "zonewatch"),
    ("sqlite", "zonewatch"),
    ("lucene", "zonewatch_icsnpp"),
    ("esql", "zonewatch_icsnpp"),
)
BEGIN: Final = "<!-- tables: python -m zonewatch.rules.siem.document -->\n"
END: Final = "<!-- end of tables -->\n"


@cache
def bundled(target: str, pipeline: str) -> tuple[Converted, ...]:
    """The bundled rules at a target."""
    return tuple(convert(files(BUNDLED), target, pipeline))


def tables(found: Callable[[str, str], Iterable[Converted]] = bundled) -> str:
    """The tables: how many rules each target has, why not the others, and which correlations it has no query for."""
    return "\n".join((*_counts(found), "", *_limits(), "")).replace("ES|QL", "ES\\|QL")


def _counts(found: Callable[[str, str], Iterable[Converted]]) -> Iterator[str]:
    yield "| target | pipeline | rules converted | not, and why |"
    yield "|---|---|---|---|"
    for target, pipeline in TARGETS:
        rules = list(found(target, pipeline))
        reasons = Counter(one.reason.split(" (while converting")[0] for one in rules if one.reason)
        why = "; ".join(
            f"{count}: {reason}" for reason, count in sorted(reasons.items(), key=lambda one: (-one[1], one[0]))
        )
        yield f"| {target} | {pipeline} | {sum(bool(one.query) for one in rules)} of {len(rules)} | {why} |"


def _limits() -> Iterator[str]:
    yield "| target | correlation | why there is no query |"
    yield "|---|---|---|"
    for target, limits in LIMITS.items():
        for kind, reason in limits.items():
            yield f"| {target} | {kind} | {reason} |"


if __name__ == "__main__":
    print(tables(), end="")
