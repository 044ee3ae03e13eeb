"""Rules on control protocols as searches of Zeek's logs with the ICSNPP parsers, by the names that Malcolm gives them.

A rule is translated for one log of each protocol that it may be about. What the log does not hold is unknown: where
the rule needs it to match, the rule is refused. Where it could only take matches away (a filter behind `not`), the
filter is dropped, so the search finds what the rule finds and what the rule would have filtered: approved by the
policy, refused by the device.

What an operation is, is told by its function here. Operations that need the object as well (a DNP3 write that sets
the clock) are found as what their function says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionItem,
    ConditionNOT,
    ConditionOR,
)
from sigma.correlations import SigmaCorrelationRule
from sigma.exceptions import SigmaTransformationError
from sigma.processing.transformations.base import PreprocessingTransformation
from sigma.rule import SigmaDetections, SigmaRule
from sigma.types import SigmaBool, SigmaCompareExpression, SigmaExists, SigmaNumber, SigmaString

from zonewatch.dissectors.vocabulary import STATE_CHANGING
from zonewatch.rules.siem import words
from zonewatch.rules.siem.words import Term, Words

PROVIDER: Final = {"event.provider": "zeek"}
SAME: Final = frozenset(("source.ip", "destination.ip", "source.port", "destination.port"))
"""Fields of ECS that Malcolm fills as we do."""
GROUPS: Final = {
    "source.asset.id": "source.ip",
    "destination.asset.id": "destination.ip",
    "modbus.function_code": "zeek.modbus_detailed.func",
    "modbus.unit_id": "zeek.modbus_detailed.unit_id",
    "dnp3.function_code": "zeek.dnp3.fc_request",
    "bacnet.service": "zeek.bacnet.pdu_service",
    "bacnet.instance": "zeek.bacnet_discovery.instance_number",
} | {name: name for name in SAME}
"""What correlations group and count by. An asset is its address there."""


@dataclass(frozen=True, slots=True)
class Column:
    """A field of a log, and what our words are called in it; without words the value is the same."""

    name: str = ""
    words: Words | None = None


@dataclass(frozen=True, slots=True)
class Log:
    """A log: which protocol it is about, what it tells of our fields, and which of its lines are requests. A log that
    has part of the operations alone cannot tell that there was none of the others."""

    name: str
    protocol: str
    columns: Mapping[str, Column]
    operations: Mapping[str, tuple[Term, ...]]
    request: tuple[Term, ...] = ()
    messages: Words = field(default_factory=dict)
    partly: bool = False


def _log(name: str, protocol: str, columns: Mapping[str, str | Words], partly: bool = False, **other: Any) -> Log:
    """A log whose columns are named without the part that they share."""

    def full(term: Term) -> Term:
        return {f"zeek.{name}.{key}": value for key, value in term.items()}

    def column(given: str | Words) -> Column:
        if isinstance(given, str):
            return Column(f"zeek.{name}.{given}")
        return Column(words={word: full(term) for word, term in given.items()})

    operations = {word: tuple(map(full, terms)) for word, terms in other.pop("operations", {}).items()}
    messages = {word: full(term) for word, term in other.pop("messages", {}).items()}
    request = tuple(map(full, other.pop("request", ())))
    return Log(
        name, protocol, {key: column(one) for key, one in columns.items()}, operations, request, messages, partly
    )


LOGS: Final = (
    _log(
        "modbus_detailed",
        "modbus",
        {
            "modbus.function_code": words.MODBUS_FUNCTIONS,
            "modbus.unit_id": "unit_id",
            "modbus.subfunction": words.MODBUS_SUBFUNCTIONS,
            "modbus.exception_code": words.MODBUS_EXCEPTIONS,
            "modbus.mei_type": words.MODBUS_MEI_TYPES,
            "ot.target.address": "address",
        },
        operations=words.MODBUS_OPERATIONS,
        messages={"request": {}},
    ),
    _log(
        "dnp3",
        "dnp3",
        {"dnp3.function_code": words.DNP3_FUNCTIONS},
        operations=words.DNP3_OPERATIONS,
        request=({"fc_request|exists": True},),
        messages={"request": {"fc_request|exists": True}, "unsolicited": {"fc_reply": "UNSOLICITED_RESPONSE"}},
    ),
    _log(
        "dnp3_control",
        "dnp3",
        {"dnp3.function_code": words.DNP3_CONTROLS, "ot.target.kind": words.DNP3_BLOCKS},
        operations={"operate": tuple(words.DNP3_CONTROLS.values())},
        partly=True,
        request=({"function_code": ["SELECT", "OPERATE", "DIRECT_OPERATE", "DIRECT_OPERATE_NR"]},),
    ),
    _log(
        "bacnet_device_control",
        "bacnet",
        {
            "bacnet.service": words.BACNET_CONTROL_SERVICES,
            "bacnet.comm_state": "device_state",
            "bacnet.reinit_state": words.BACNET_STATES,
            "ot.status_name": {
                word: {"result_code": term["result_code"]} for word, term in words.BACNET_ERRORS.items()
            },
        },
        operations=words.BACNET_CONTROL_OPERATIONS,
        partly=True,
    ),
    _log(
        "bacnet",
        "bacnet",
        {
            "bacnet.service": words.BACNET_SERVICES,
            "bacnet.bvlc_function": words.BACNET_BVLC,
            "ot.status_name": words.BACNET_ERRORS,
        },
        operations=words.BACNET_OPERATIONS,
        request=(
            {"pdu_type": ["CONFIRMED_REQUEST", "UNCONFIRMED_REQUEST", "NPDU"]},
            {"bvlc_function": words.BACNET_LINK},
        ),
        messages=words.BACNET_MESSAGES,
    ),
    _log(
        "bacnet_property",
        "bacnet",
        {
            "bacnet.service": words.BACNET_PROPERTY_SERVICES,
            "bacnet.property": "property",
            "bacnet.object_type": "object_type",
            "bacnet.instance": "instance_number",
            "bacnet.priority": "priority",
        },
        operations=words.BACNET_PROPERTY_OPERATIONS,
        partly=True,
    ),
    _log(
        "bacnet_discovery",
        "bacnet",
        {"bacnet.service": words.BACNET_DISCOVERY_SERVICES, "bacnet.instance": "instance_number"},
        operations={},
        partly=True,
    ),
    _log(
        "s7comm",
        "s7comm",
        {"s7comm.function": words.S7_FUNCTIONS},
        operations=words.S7_OPERATIONS,
        request=({"rosctr_name": "Job-Request"}, {"function_name|startswith": "Request: "}),
    ),
    _log(
        "opcua_binary",
        "opcua",
        {
            "opcua.service": words.OPCUA_SERVICES,
            "opcua.service_id": "req_identifier",
            "opcua.security_policy": words.OPCUA_POLICIES,
        },
        operations=words.OPCUA_OPERATIONS,
        request=({"req_identifier_str|exists": True}, {"msg_type": "OPN"}),
        messages={"request": {"req_identifier_str|exists": True}},
    ),
    _log(
        "opcua_binary_activate_session",
        "opcua",
        {"opcua.service": {"activate_session": {"is_orig": "T"}}, "opcua.user_token": words.OPCUA_TOKENS},
        operations={},
        partly=True,
    ),
    _log(
        "opcua_binary_opensecure_channel",
        "opcua",
        {
            "opcua.service": {"open_secure_channel": {"message_security_mode|exists": True}},
            "opcua.security_mode": words.OPCUA_MODES,
        },
        operations={},
        partly=True,
    ),
)
PROTOCOLS: Final = tuple(dict.fromkeys(log.protocol for log in LOGS))


@dataclass(frozen=True, slots=True)
class Unknown:
    """What a log cannot tell."""

    what: str


@dataclass(frozen=True, slots=True)
class Joined:
    """Conditions joined by `and`, `or`, or one behind `not`."""

    word: str
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Leaf:
    """A condition on one line of a log."""

    term: tuple[tuple[str, Any], ...]


Node = bool | Unknown | Joined | Leaf


@dataclass
class TranslationToIcsnpp(PreprocessingTransformation):
    """Writes the detections of a rule anew; raises SigmaTransformationError for what those logs cannot tell."""

    def apply(self, rule: SigmaRule | SigmaCorrelationRule) -> None:
        """Translates a rule, or what a correlation groups and counts by."""
        super().apply(rule)
        if isinstance(rule, SigmaCorrelationRule):
            _regroup(rule)
        elif rule.logsource.category != "ot_operation":
            raise SigmaTransformationError("only rules on ot_operation have a counterpart in ICSNPP's logs")
        else:
            rule.detection = _detections(_joined("or", map(_whole, rule.detection.parsed_condition)))
            rule.fields = []


def _regroup(rule: SigmaCorrelationRule) -> None:
    if rule.aliases and rule.aliases.aliases:
        raise SigmaTransformationError("aliases of a correlation have no counterpart in ICSNPP's logs")
    condition: Any = rule.condition
    counted = getattr(condition, "fieldref", None) or []
    for name in (*(rule.group_by or ()), *([counted] if isinstance(counted, str) else counted)):
        if name not in GROUPS:
            raise SigmaTransformationError(f"counts or groups by {name}, which ICSNPP's logs do not have")
    rule.group_by = [GROUPS[name] for name in rule.group_by or ()]
    if counted:
        condition.fieldref = GROUPS[counted] if isinstance(counted, str) else [GROUPS[name] for name in counted]


def _whole(condition: Any) -> Node:
    """A condition over all protocols that it may be about."""
    found: list[Node] = []
    for protocol in PROTOCOLS:
        tried = [_in_log(condition.parsed, log) for log in LOGS if log.protocol == protocol]
        told = [one for one in tried if not isinstance(one, Unknown)]
        if not told:
            lacking = next(one.what for one in tried if isinstance(one, Unknown))
            raise SigmaTransformationError(f"needs {lacking}, which ICSNPP's logs do not have")
        found.append(told[0])
    whole = _joined("or", found)
    if isinstance(whole, bool):
        raise SigmaTransformationError("is about what ICSNPP's logs do not tell")
    return whole


def _in_log(tree: ConditionItem | ConditionFieldEqualsValueExpression, log: Log) -> Node:
    found = _translated(tree, log, positive=True)
    if isinstance(found, bool | Unknown):
        return found
    parts: list[Node] = [_leaf({**PROVIDER, "event.dataset": log.name})]
    if log.request and "ot.message" not in set(_asked(tree)):
        parts.append(_any(log.request))
    return _joined("and", [*parts, found])


def _asked(tree: Any) -> Iterator[str]:
    """The fields that have to match, not those behind `not`."""
    if isinstance(tree, ConditionAND | ConditionOR):
        for part in tree.args:
            yield from _asked(part)
    elif isinstance(tree, ConditionFieldEqualsValueExpression):
        yield tree.field


def _translated(tree: Any, log: Log, positive: bool) -> Node:
    if isinstance(tree, ConditionNOT):
        inner = _translated(tree.args[0], log, not positive)
        if isinstance(inner, bool | Unknown):
            return not inner if isinstance(inner, bool) else inner
        return Joined("not", (inner,))
    if isinstance(tree, ConditionAND | ConditionOR):
        word = "and" if isinstance(tree, ConditionAND) else "or"
        found = _joined(word, [_translated(part, log, positive) for part in tree.args])
        return False if isinstance(found, Unknown) and not positive else found
    if not isinstance(tree, ConditionFieldEqualsValueExpression):
        return Unknown("words without a field")
    found = _compared(tree.field, tree.value, log)
    return False if isinstance(found, Unknown) and not positive else found


def _compared(name: str, value: Any, log: Log) -> Node:
    """One comparison in a log."""
    word = str(value)
    if name == "ot.protocol":
        return word == log.protocol
    if name in SAME:
        return _same(name, value)
    if name == "ot.operation":
        known = word in log.operations or not log.partly
        return _any(log.operations.get(word, ())) if known else Unknown(f"ot.operation {word}")
    if name == "ot.changes_state" and isinstance(value, SigmaBool) and value.boolean:
        return _any(term for one in sorted(STATE_CHANGING) for term in log.operations.get(one, ()))
    if name == "ot.message":
        return _any((log.messages[word],)) if word in log.messages else Unknown(f"ot.message {word}")
    column = log.columns.get(name)
    if column is None:
        owner = name.partition(".")[0]
        return False if owner in PROTOCOLS and owner != log.protocol else Unknown(name)
    if column.words is None:
        return _same(column.name, value)
    if isinstance(value, SigmaExists):
        keys = {key.partition("|")[0] for term in column.words.values() for key in term}
        return _leaf({f"{min(keys)}|exists": bool(value)})
    return _leaf(column.words[word]) if word in column.words else Unknown(f"{name} {word}")


def _same(name: str, value: Any) -> Node:
    if isinstance(value, SigmaExists):
        return _leaf({f"{name}|exists": bool(value)})
    if isinstance(value, SigmaCompareExpression):
        return _leaf({f"{name}|{value.op.name.lower()}": value.number.number})
    if isinstance(value, SigmaNumber):
        return _leaf({name: value.number})
    return _leaf({name: str(value)}) if isinstance(value, SigmaString) else Unknown(name)


def _leaf(term: Term) -> Node:
    items = ((name, tuple(value) if isinstance(value, list) else value) for name, value in term.items())
    return Leaf(tuple(items)) if term else True


def _any(terms: Iterable[Term]) -> Node:
    return _joined("or", map(_leaf, terms))


def _joined(word: str, parts: Iterable[Node]) -> Node:
    """Joined and made simple: what decides stays alone, what changes nothing goes, one field's values are one list."""
    decides = word == "or"
    kept: dict[Node, None] = {}
    for part in parts:
        if part is decides:
            return decides
        if isinstance(part, Joined) and part.word == word:
            kept.update(dict.fromkeys(part.parts))
        elif not isinstance(part, bool):
            kept[part] = None
    for part in kept:
        if isinstance(part, Unknown):
            return part
    if word == "and" and (other := _excluded(kept)):
        return Unknown(f"more than {other} to tell the operation")
    if word == "or":
        kept = dict.fromkeys(_merged(kept))
    return next(iter(kept)) if len(kept) == 1 else Joined(word, tuple(kept)) if kept else not decides


def _excluded(parts: Iterable[Node]) -> str:
    """A column that would need two values at once: what the rule asks for is told elsewhere in the message."""
    pinned: dict[str, frozenset[Any]] = {}
    for part in parts:
        for name, value in part.term if isinstance(part, Leaf) else ():
            if "|" not in name:
                values = frozenset(value if isinstance(value, tuple) else (value,))
                pinned[name] = pinned.get(name, values) & values
    return next((name for name, values in pinned.items() if not values), "")


def _merged(parts: Iterable[Node]) -> Iterator[Node]:
    """Alternatives of one field as one list of values."""
    lists: dict[str, dict[Any, None]] = {}
    for part in parts:
        if isinstance(part, Leaf) and len(part.term) == 1 and part.term[0][0].partition("|")[2] != "exists":
            (name, value), *_ = part.term
            lists.setdefault(name, {}).update(dict.fromkeys(value if isinstance(value, tuple | list) else [value]))
        else:
            yield part
    for name, values in lists.items():
        yield Leaf(((name, tuple(values) if len(values) > 1 else next(iter(values))),))


def _detections(node: Node) -> SigmaDetections:
    found: dict[str, Any] = {}

    def said(part: Node) -> str:
        if isinstance(part, Joined):
            inner = [said(one) for one in part.parts]
            return f"not {inner[0]}" if part.word == "not" else f"({f' {part.word} '.join(inner)})"
        assert isinstance(part, Leaf)
        name = f"line_{len(found) + 1}"
        found[name] = {key: list(value) if isinstance(value, tuple) else value for key, value in part.term}
        return name

    condition = said(node)
    return SigmaDetections.from_dict({**found, "condition": condition})
