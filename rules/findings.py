"""Findings: facts about the network that somebody should act on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final, Literal, get_args

from zonewatch.inventory.model import Evidence

Severity = Literal["info", "low", "medium", "high", "critical"]
SEVERITIES: Final[tuple[Severity, ...]] = get_args(Severity)
Verdict = Literal["allowed", "violation", "unzoned", "cannot_conclude"]
VERDICTS: Final[tuple[Verdict, ...]] = get_args(Verdict)
Owner = Literal["OT", "IT", "both"]


@dataclass(frozen=True, slots=True)
class Change:
    """A value that a state-changing event altered."""

    target: str  # "holding-register 100 (40101)"
    before: str  # "unknown" where no poll showed it
    after: str
    name: str = ""  # what the tag list or the device calls it: "High-level trip LSHH-101"

    @property
    def what(self) -> str:
        """Its name with its address beside it; the address alone where it has no name."""
        return f"{self.name}, {self.target}" if self.name else self.target

    @property
    def sentence(self) -> str:
        """`High-level trip LSHH-101 set from 92 % to 100 %`."""
        known = f" from {self.before}" if self.before != "unknown" else ""
        return f"{self.name or self.target} set{known} to {self.after}"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a story: a remote session, or what was done at its end."""

    client: str  # asset id, or address
    server: str
    protocol: str
    what: str  # "remote session as vendor", "write (write_single_register), 3 events"
    evidence: tuple[Evidence, ...]
    first_time: int = 0
    last_time: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding. `identity` names the fields that make it the same finding next week."""

    rule: str  # "policy.violation", "exposure.public_client" …
    identity: tuple[tuple[str, str], ...]
    title: str
    severity: Severity
    reasons: tuple[str, ...]  # why this severity
    description: str
    remedy: str
    owner: Owner
    assets: tuple[str, ...] = ()
    protocol: str = ""
    operation: str = ""
    verdict: Verdict | None = None
    zones: tuple[str, ...] = ()
    technique: tuple[str, ...] = ()  # ATT&CK for ICS ids
    requirement: tuple[str, ...] = ()  # IEC 62443-3-3 SR
    changes: tuple[Change, ...] = ()
    suggestion: str = ""  # the flow that would allow it, as YAML, ready to paste
    count: int = 0  # events behind it
    first_time: int = 0
    last_time: int = 0
    evidence: tuple[Evidence, ...] = ()  # bounded
    state: Literal["open", "accepted", "resolved"] = "open"
    steps: tuple[Step, ...] = ()  # of a story, in their order
    uuid: str = ""  # of the Sigma rule that tells it
    false_positives: tuple[str, ...] = ()  # when it may be harmless

    @property
    def id(self) -> str:
        """Stable: from the rule and its identity fields only."""
        text = "\x1f".join((self.rule, *(f"{key}={value}" for key, value in self.identity)))
        return hashlib.sha256(text.encode()).hexdigest()[:16]
