"""Frozen rows of the catalogue: requirements, facts, techniques.

Ids and short titles are those of the standards; every other text is our own. No standard's text is reproduced.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

Observable = Literal["full", "partial", "none"]
"""What passive network evidence alone can say: the requirement is about the network itself; a part of it; nothing."""
Polarity = Literal["positive", "negative", "both", "context"]
Relation = Literal["refutes", "supports", "prompts", "inputs", "narrows"]
RELATIONS: Final[tuple[Relation, ...]] = get_args(Relation)

FOUNDATIONS: Final = ("IAC", "UC", "SI", "DC", "RDF", "TRE", "RA")
"""The foundational requirements of IEC 62443, by which security levels are set."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a part of the data comes from, and whether that was compared with its source."""

    what: str
    source: str
    verified: bool


@dataclass(frozen=True, slots=True)
class Relations:
    """Which facts (ids) say something of a requirement, and how."""

    refutes: tuple[str, ...] = ()
    supports: tuple[str, ...] = ()
    prompts: tuple[str, ...] = ()  # raise a question; never change a status
    inputs: tuple[str, ...] = ()  # data without a verdict
    narrows: tuple[str, ...] = ()  # show that what supports holds for a part only
    note: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """A heading under which requirements stand."""

    id: str
    title: str
    text: str = ""
    reference: str = ""  # what it implements, or its abbreviation


@dataclass(frozen=True, slots=True)
class Requirement:
    """One requirement of a framework."""

    framework: str
    id: str
    title: str
    observable: Observable
    text: str = ""  # our own wording
    relations: Relations = Relations()
    group: str = ""
    parent: str = ""  # of a requirement enhancement, or of a point's part
    foundation: str = ""  # IAC … RA, where security levels ask for it
    min_sl: int = 0  # the lowest security level that asks for it; 0: every one
    baselines: tuple[str, ...] = ()  # NIST SP 800-53B
    draft: str = ""  # what the tool can draft for it


@dataclass(frozen=True, slots=True)
class Framework:
    """A standard, a law, or a list of goals."""

    id: str
    title: str
    verified: bool
    requirements: tuple[Requirement, ...]
    groups: tuple[Group, ...] = ()
    origins: tuple[Origin, ...] = ()
    note: str = ""
    zoned: bool = False  # asked zone by zone


@dataclass(frozen=True, slots=True)
class FactKind:
    """One fact of the vocabulary: what is measured, and what may not be read into it."""

    id: str
    group: str
    title: str
    measured: str
    polarity: Polarity
    limits: str = ""


@dataclass(frozen=True, slots=True)
class Deadline:
    """A duty to report (NIS2 Art. 23)."""

    id: str
    title: str
    deadline: str  # empty: none is set
    content: str
    given: tuple[str, ...] = ()  # what the tool has for it


@dataclass(frozen=True, slots=True)
class RecordItem:
    """A part of the record that IEC 62443-3-2 ZCR 6.4 asks of a zone or conduit."""

    id: str
    content: str
    field: str  # of the policy file
    origin: str  # declared, or observed


@dataclass(frozen=True, slots=True)
class Component:
    """A requirement of IEC 62443-4-2, by id and title."""

    id: str
    title: str
    kind: str  # CR, SAR, EDR, HDR, NDR, common_constraints
    min_sl: int = 0
    hint: str = ""  # what traffic can say
    note: str = ""


@dataclass(frozen=True, slots=True)
class Technique:
    """A technique of MITRE ATT&CK for ICS."""

    id: str
    name: str
    tactics: tuple[str, ...]
    observable: Observable
    facts: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    caveat: str = ""
    components: tuple[str, ...] = ()  # ATT&CK's data components on the network
    mitigations: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()  # IEC 62443-3-3
    parent: str = ""
    former: str = ""  # its id before version 19
    former_name: str = ""


@dataclass(frozen=True, slots=True)
class Mitigation:
    """A mitigation of ATT&CK with the requirements that it stands for."""

    id: str
    name: str
    iec62443: tuple[str, ...] = ()
    nist: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Attack:
    """ATT&CK for ICS as a whole. `license` is to be printed wherever its names are."""

    title: str
    license: str
    tactics: tuple[str, ...]
    techniques: tuple[Technique, ...]
    mitigations: tuple[Mitigation, ...]
    origins: tuple[Origin, ...]
