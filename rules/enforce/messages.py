"""What messages between clients and servers may not be, in Suricata's keywords for Modbus, DNP3 and EtherNet/IP.

Suricata's ranges of Modbus addresses match a message that touches them, and count from 1: said of what is denied, both
are exact. Functions of Modbus that it does not know are told apart by class alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

from zonewatch.dissectors.codes import table
from zonewatch.rules.enforce.plan import Limit, Permit
from zonewatch.rules.matching import HOUSEKEEPING
from zonewatch.rules.policy.values import ObjectRange, merged

MOST_VALUES: Final = 64
"""Objects whose values are checked one by one; Suricata has no values for a range of addresses."""


class Denial(NamedTuple):
    """Options of a rule that denies, and why in words."""

    told: str
    options: str


Found = Denial | Limit

_MODBUS_KINDS: Final = {
    "coil": "coils",
    "discrete-input": "discretes",
    "input-register": "input",
    "holding-register": "holding",
}
_WRITES: Final = (5, 6, 15, 16, 22, 23)
_ACCESSES: Final = (1, 2, 3, 4, *_WRITES)
_RESERVED: Final = (41, 42, 90, 91, 125, 126, 127)
"""Codes of the class `reserved` (Application Protocol V1.1b3, annex A), but 43, which Suricata knows by itself."""


def permitted_functions(permit: Permit, functions: Mapping[str, Any]) -> frozenset[int]:
    """Codes of the table, and codes that the flow names, which it permits by operation, code and kind of object."""
    traffic = permit.traffic
    kinds = {item.kind for item in traffic.objects}
    found = set()
    for code in {*map(int, functions), *traffic.function_codes}:
        entry = functions.get(str(code), {})
        operations = _operations(entry)
        if operations & HOUSEKEEPING or (
            (not traffic.operations or operations & {*traffic.operations})
            and (not traffic.function_codes or code in traffic.function_codes)
            and (not kinds or traffic.protocol != "modbus" or entry.get("kind") in kinds)
        ):
            found.add(code)
    return frozenset(found)


def _operations(entry: Mapping[str, Any]) -> set[str]:
    """Those of the function; of Modbus functions with sub-functions, also theirs."""
    found = {entry.get("operation", "unknown")}
    if entry.get("name") == "diagnostics":
        found |= {sub["operation"] for sub in table("modbus")["diagnostics"].values()}
    if entry.get("name") == "encapsulated_interface_transport":
        found |= {sub["operation"] for sub in table("modbus")["mei_types"].values()}
    return found


def modbus(permits: Sequence[Permit]) -> Iterator[Found]:
    """Functions first, then addresses and values of those that are permitted."""
    functions = table("modbus")["functions"]
    by_code: dict[int, list[Permit]] = {}
    for permit in permits:
        for code in permitted_functions(permit, functions):
            by_code.setdefault(code, []).append(permit)
    for code in sorted(int(text) for text in functions if int(text) not in _RESERVED):
        if code not in by_code:
            yield Denial(f"function {code} {functions[str(code)]['name']}", f"modbus: function {code}")
    yield from _unknown_functions(frozenset(by_code), permits)
    yield from _sub_functions(by_code.get(8, []))
    for code in sorted(by_code):
        if code in _ACCESSES:
            yield from _addresses(code, functions[str(code)]["kind"], by_code[code])
        elif any(item.start is not None for permit in by_code[code] for item in permit.traffic.objects):
            for permit in by_code[code]:
                yield Limit("wider", permit.label, f"objects of function {code} are not checked")
        if code == 43 and any(permit.traffic.operations for permit in by_code[code]):
            yield Limit("wider", by_code[code][0].label, "function 43 passes with any MEI type")
    yield Denial("malformed: no Modbus", "app-layer-event:modbus.invalid_protocol_id")
    yield Denial("malformed: no function", "app-layer-event:modbus.invalid_function_code")


def _unknown_functions(permitted: frozenset[int], permits: Sequence[Permit]) -> Iterator[Found]:
    """Codes beyond those of the standard."""
    classes = {
        "user": {*range(65, 73), *range(100, 111)},
        "reserved": {*_RESERVED, 43},
        "unassigned": {*range(25, 128)} - {*range(65, 73), *range(100, 111), *_RESERVED, 43},
    }
    for name, codes in classes.items():
        named = codes & permitted
        if not named:
            yield Denial(f"function of class {name}", f"modbus: function {name}")
        elif named != {43}:
            told = f"functions {', '.join(map(str, sorted(named)))} let every function of class {name} pass"
            yield Limit("wider", permits[0].label, told)
        else:  # 43 passes; Suricata has no function for the others, and one such code stands for all of them
            yield Denial(f"function of class {name}, other than 43", f"modbus: function {_RESERVED[0]}")


def _sub_functions(permits: Sequence[Permit]) -> Iterator[Found]:
    if not permits or any(not permit.traffic.operations for permit in permits):
        return
    allowed = {operation for permit in permits for operation in permit.traffic.operations}
    for code, entry in table("modbus")["diagnostics"].items():
        if entry["operation"] not in allowed:
            yield Denial(f"function 8, {entry['name']}", f"modbus: function 8, subfunction {code}")


def _addresses(code: int, kind: str, permits: Sequence[Permit]) -> Iterator[Found]:
    access = f"access {'write' if code in _WRITES else 'read'} {_MODBUS_KINDS[kind]}"
    ranges = [[item for item in permit.traffic.objects if item.kind == kind] for permit in permits]
    if all(ranges):
        for told, address in _outside(merged(item for each in ranges for item in each)):
            options = f"modbus: function {code}; modbus: {access}, address {address}"
            yield Denial(f"function {code}, {kind} {told}", options)
        if code == 23:
            yield Limit("wider", permits[0].label, "function 23 may read any register: its write alone is checked")
        for permit, own in zip(permits, ranges, strict=True):
            others = [item for each in ranges if each is not own for item in each]
            if _touch(own, others):
                yield Limit("wider", permit.label, f"function {code} may also span the {kind}s of flows beside it")
    for permit, own in zip(permits, ranges, strict=True):
        if permit.traffic.values is not None and code in _WRITES:
            others = [item for each in ranges if each is not own for item in each]
            alone = len(permits) == 1 or (all(ranges) and not _overlap(own, others))
            yield from _values(code, kind, permit, own, alone=alone)


def _outside(ranges: Sequence[ObjectRange]) -> Iterator[tuple[str, str]]:
    """What is not in the ranges: in words, and as addresses that count from 1."""
    if any(item.start is None for item in ranges):
        return
    bounds = [(item.start or 0, item.end or 0) for item in ranges]
    if bounds[0][0] > 0:
        yield f"below {bounds[0][0]}", f"<{bounds[0][0] + 1}"
    for (_, end), (start, _) in pairwise(bounds):
        yield f"between {end} and {start}", f"{end + 1}<>{start + 1}"
    if bounds[-1][1] < 65_535:
        yield f"above {bounds[-1][1]}", f">{bounds[-1][1] + 1}"


def _touch(own: Iterable[ObjectRange], others: Sequence[ObjectRange]) -> bool:
    return any(
        item.start is not None
        and other.start is not None
        and item.start <= (other.end or 0) + 1
        and other.start <= (item.end or 0) + 1
        and item != other
        for item in own
        for other in others
    )


def _overlap(own: Iterable[ObjectRange], others: Sequence[ObjectRange]) -> bool:
    return any(
        item.start is None or other.start is None or (item.start <= (other.end or 0) and other.start <= (item.end or 0))
        for item in own
        for other in others
    )


def _values(code: int, kind: str, permit: Permit, own: Sequence[ObjectRange], *, alone: bool) -> Iterator[Found]:
    limits = permit.traffic.values
    whole = not own or any(item.start is None for item in own)
    count = sum((item.end or 0) - (item.start or 0) + 1 for item in own)
    if limits is None or not alone or whole or count > MOST_VALUES or code not in (6, 16):
        yield Limit("wider", permit.label, f"values of function {code} are not checked")
        return
    bounds = []
    if limits.max is not None and math.floor(limits.max) < 65_535:
        bounds.append(("above", ">", math.floor(limits.max)))
    if limits.min is not None and math.ceil(limits.min) > 0:
        bounds.append(("below", "<", math.ceil(limits.min)))
    if any(bound < 0 or bound > 65_535 for _, _, bound in bounds):
        yield Limit("wider", permit.label, f"values of function {code} are not checked: no register holds such")
        return
    for number in (number for item in own for number in range(item.start or 0, (item.end or 0) + 1)):
        for word, sign, bound in bounds:
            options = (
                f"modbus: function {code}; modbus: access write holding, address {number + 1}, value {sign}{bound}"
            )
            yield Denial(f"function {code}, {kind} {number} {word} {bound}", options)


_FIRST_RESPONSE: Final = 129
_DNP3_COMMANDS: Final = {"control-relay-output": (12, (1, 2, 3)), "analog-output": (41, (1, 2, 3, 4))}
"""Kinds of objects that command an output: group and variations (IEEE 1815, annex A)."""


def dnp3(permits: Sequence[Permit]) -> Iterator[Found]:
    """Functions by the second octet of a message, commands by their objects."""
    functions = table("dnp3")["functions"]
    permitted = {code for permit in permits for code in permitted_functions(permit, functions) if code < 256}
    narrowed = {code: groups for code in (1, 2) if code not in permitted and (groups := _groups(code, permits))}
    codes = sorted(permitted | narrowed.keys())
    told = ", ".join(
        f"{code} {functions.get(str(code), {}).get('name', '')}".strip() for code in codes if code < _FIRST_RESPONSE
    )
    yield Denial(f"function other than {told}", f'dnp3.data; pcre:"/^.[^{_octets(codes)}]/s"')
    for code, groups in narrowed.items():
        listed = ", ".join(map(str, groups))
        name = functions[str(code)]["name"]
        yield Denial(
            f"{name} of groups other than {listed}", f'dnp3.data; pcre:"/^.{_octets([code])}[^{_octets(groups)}]/s"'
        )
        yield Limit("wider", permits[0].label, f"of a {name} only the first object is checked")
    commanding = [permit for permit in permits if permitted_functions(permit, functions) & {3, 4, 5, 6}]
    kinds = {item.kind for permit in commanding for item in permit.traffic.objects}
    if commanding and all(permit.traffic.objects for permit in commanding):
        for kind, (group, variations) in _DNP3_COMMANDS.items():
            if kind not in kinds:
                for variation in variations:
                    yield Denial(f"{kind} g{group}v{variation}", f"dnp3_obj:{group},{variation}")
    for permit in permits:
        loose = [
            str(item) for item in permit.traffic.objects if item.start is not None or item.kind not in _DNP3_COMMANDS
        ]
        if loose:
            yield Limit("wider", permit.label, f"objects {', '.join(loose)}: only the kind of commands is checked")
        if permit.traffic.values is not None:
            yield Limit("wider", permit.label, "values are not checked")
    yield Limit("wider", permits[0].label, "functions of the link layer are not checked")


def _octets(codes: Iterable[int]) -> str:
    return "".join(f"\\x{code:02x}" for code in codes)


def _groups(code: int, permits: Sequence[Permit]) -> list[int]:
    """Groups of objects that make of a read or a write an operation that is permitted, such as setting the clock."""
    made = {"file"} if code == 1 else {"time", "configure", "file"}
    wanted = {
        operation
        for permit in permits
        if not permit.traffic.function_codes or code in permit.traffic.function_codes
        for operation in permit.traffic.operations
    }
    return sorted(
        {
            int(number.partition(".")[0])
            for number, entry in table("dnp3")["objects"].items()
            if entry.get("operation") in made & wanted
        }
    )


_ENIP_COMMANDS: Final = (0x00, 0x04, 0x63, 0x64, 0x65, 0x66, 0x6F, 0x70, 0x72, 0x73)


def _coded(keyword: str, codes: Iterable[int], rest: str) -> Callable[[Sequence[Permit]], Iterator[Found]]:
    def deny(permits: Sequence[Permit]) -> Iterator[Found]:
        allowed = {code for permit in permits for code in permit.traffic.function_codes}
        if all(permit.traffic.function_codes for permit in permits):
            for code in codes:
                if code not in allowed:
                    yield Denial(f"{keyword} {code}", f"{keyword}:{code}")
            if rest:
                yield Limit("wider", permits[0].label, rest)
        for permit in permits:
            if not permit.traffic.function_codes or permit.traffic.objects:
                yield Limit("wider", permit.label, "operations and objects are not checked, only function_codes are")

    return deny


enip: Final = _coded("enip_command", _ENIP_COMMANDS, "commands that EtherNet/IP does not have are not checked")
cip: Final = _coded("cip_service", range(1, 128), "")

DECODED: Final[Mapping[str, tuple[str, Callable[[Sequence[Permit]], Iterator[Found]]]]] = {
    "modbus": ("modbus", modbus),
    "dnp3": ("dnp3", dnp3),
    "enip": ("enip", enip),
    "cip": ("enip", cip),
}
"""Protocol of the policy → Suricata's name of it, and what denies its messages."""


def conditional(permit: Permit) -> bool:
    """True for one that Suricata's keywords narrow: its flow says more than the protocol."""
    traffic = permit.traffic
    said = traffic.function_codes or traffic.objects or traffic.values is not None
    operations = [word for word in traffic.operations if word not in HOUSEKEEPING]
    return traffic.protocol in DECODED and bool(said or operations) and not permit.turned
