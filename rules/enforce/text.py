"""Names and comments of the policy in the files of a target, where neither may end a line or a string."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from zonewatch.rules.enforce.plan import Limit, Plan


def plain(text: str, most: int = 400) -> str:
    """One line of printable ASCII without quotes, backslashes, semicolons and the like, cut at `most`."""
    flat = "".join(char if 32 <= ord(char) < 127 and char not in "\"'\\`;$|" else " " for char in text)
    flat = " ".join(flat.split())
    return flat if len(flat) <= most else flat[: most - 3] + "..."


class Names:
    """Identifiers of a target for ids of the policy: only letters that it takes, and no two alike."""

    def __init__(self, allowed: str, most: int) -> None:
        self._other = re.compile(f"[^{allowed}]")
        self._most = most
        self._given: dict[str, str] = {}

    def of(self, text: str) -> str:
        """The same for the same text."""
        if text not in self._given:
            base = self._other.sub("_", text)[: self._most]
            name, number = base, 1
            while name in self._given.values():
                number += 1
                name = f"{base[: self._most - 4]}_{number}"
            self._given[text] = name
        return self._given[text]


def header(plan: Plan, target: str, limits: Iterable[Limit]) -> Iterator[str]:
    """What a person should know before this is loaded, each line without a comment sign."""
    suc = plan.policy.suc
    yield f"{target} rules of the zone policy {plain(suc.id)}" + (f", {plain(suc.name)}" if suc.name else "")
    if plan.shield:
        yield f"They shield one asset: {plain(plan.shield)}. Other traffic is left alone."
    yield f"Made by zonewatch from the policy as it holds on {plan.day.isoformat()} (UTC). Change the policy, not this."
    for text in plan.pending:
        yield f"DRAFT, not approved: {plain(text)}"
    told = list(limits)
    yield "What these rules do not hold:" if told else "They hold every condition of the policy."
    for limit in told:
        yield f"  {plain(str(limit))}"
