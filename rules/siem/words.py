"""Our words in the words of Zeek and ICSNPP, from the engine's own tables of codes; only what they spell otherwise
is written down here.

A word of ours is what one line of a log holds: columns and values, named without the log's own prefix.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from zonewatch.dissectors.codes import table
from zonewatch.dissectors.zeek import words as zeek

Term = Mapping[str, Any]
Words = Mapping[str, Term]

_DNP3_ANSWERS: Final = 128


def _spelled(words: Mapping[str, Any], column: str, other: Mapping[str, str]) -> dict[str, Term]:
    return {code: {column: other.get(code, word["name"].upper())} for code, word in words.items()}


def _by_operation(words: Mapping[str, Any], terms: Words) -> dict[str, tuple[Term, ...]]:
    """Operation → what lines of it hold."""
    found: dict[str, tuple[Term, ...]] = {}
    for word, entry in words.items():
        if word in terms and "operation" in entry:
            found[entry["operation"]] = (*found.get(entry["operation"], ()), terms[word])
    return found


def _together(*parts: Mapping[str, tuple[Term, ...]]) -> dict[str, tuple[Term, ...]]:
    keys = dict.fromkeys(key for part in parts for key in part)
    return {key: tuple(term for part in parts for term in part.get(key, ())) for key in keys}


def _named(*groups: str) -> dict[str, Any]:
    return {entry["name"]: entry for group in groups for entry in table("bacnet")[group].values()}


def _title(name: str) -> str:
    small = {"and", "of"}
    upper = {"ascii", "nak", "iop"}
    return " ".join(w if w in small else w.upper() if w in upper else w.capitalize() for w in name.split("_"))


def _only(words: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: words[name] for name in names}


MODBUS_FUNCTIONS: Final = _spelled(table("modbus")["functions"], "func", zeek.MODBUS_FUNCTIONS)
MODBUS_SUBFUNCTIONS: Final = {
    code: {"func": "DIAGNOSTICS", "request_subfunction_code": _title(entry["name"])}
    for code, entry in table("modbus")["diagnostics"].items()
}
MODBUS_EXCEPTIONS: Final = _spelled(table("modbus")["exceptions"], "exception_code", zeek.MODBUS_EXCEPTIONS)
MODBUS_MEI_TYPES: Final = {"14": {"mei_type": "Read Device Identification"}}
MODBUS_OPERATIONS: Final = _together(
    _by_operation(table("modbus")["functions"], MODBUS_FUNCTIONS),
    _by_operation(table("modbus")["diagnostics"], MODBUS_SUBFUNCTIONS),
)

DNP3_FUNCTIONS: Final = {
    code: {("fc_reply" if int(code) > _DNP3_ANSWERS else "fc_request"): next(iter(term.values()))}
    for code, term in _spelled(table("dnp3")["functions"], "fc", zeek.DNP3_FUNCTIONS).items()
}
DNP3_OPERATIONS: Final = _by_operation(table("dnp3")["functions"], DNP3_FUNCTIONS)
DNP3_CONTROLS: Final = {code: {"function_code": DNP3_FUNCTIONS[code]["fc_request"]} for code in ("3", "4", "5", "6")}
DNP3_BLOCKS: Final = {"control-relay-output": {"block_type": "Control Relay Output Block"}}

_SERVICES: Final = _named("confirmed_services", "unconfirmed_services")
_NETWORK: Final = _named("network_messages")
BACNET_SERVICES: Final = {name: {"pdu_service": name} for name in _SERVICES}
BACNET_BVLC: Final = {word: {"bvlc_function": theirs} for word, theirs in zeek.BACNET_BVLC.items()}
BACNET_ERRORS: Final = {
    entry["name"]: {"pdu_type": "ERROR_PDU", "result_code": entry["name"]}
    for entry in table("bacnet")["error_codes"].values()
}
BACNET_OPERATIONS: Final = _together(
    _by_operation({name: entry for name, entry in _SERVICES.items() if name != "reinitialize_device"}, BACNET_SERVICES),
    _by_operation(_NETWORK, {name: {"pdu_type": "NPDU", "pdu_service": name} for name in _NETWORK}),
    _by_operation(_named("bvlc_functions"), BACNET_BVLC),
    {"restart": ({"pdu_service": "reinitialize_device"},)},
)
BACNET_MESSAGES: Final[Words] = {
    "request": {"pdu_type": "CONFIRMED_REQUEST"},
    "unconfirmed": {"pdu_type": "UNCONFIRMED_REQUEST"},
    "network": {"pdu_type": "NPDU"},
    "error": {"pdu_type": ["ERROR_PDU", "REJECT_PDU", "ABORT_PDU"]},
}
BACNET_LINK: Final = sorted(zeek.BACNET_BVLC.values())
BACNET_PROPERTY_SERVICES: Final[Words] = {
    "read_property": {"pdu_service": "read-property-request"},
    "read_property_multiple": {"pdu_service": "read-property-multiple-request"},
    "read_range": {"pdu_service": "read-range-request"},
    "write_property": {"pdu_service": "write-property"},
}
BACNET_PROPERTY_OPERATIONS: Final[Mapping[str, tuple[Term, ...]]] = {
    "read": tuple(BACNET_PROPERTY_SERVICES[name] for name in ("read_property", "read_property_multiple", "read_range")),
    "write": ({"pdu_service|startswith": "write-property"},),
    "operate": (),  # a write to ICSNPP, whatever is written
}
BACNET_STATES: Final = {
    entry["name"]: {"pdu_service": "reinitialize_device", "device_state": entry["name"]}
    for entry in table("bacnet")["reinitialized_states"].values()
}
BACNET_CONTROL_SERVICES: Final = _only(BACNET_SERVICES, ("reinitialize_device", "device_communication_control"))
BACNET_CONTROL_OPERATIONS: Final = {
    word: terms
    for word, terms in _by_operation(_named("reinitialized_states"), BACNET_STATES).items()
    if word in ("restart", "program_download")
}
BACNET_DISCOVERY_SERVICES: Final[Words] = {
    name: {"pdu_service": name.replace("_", "-")} for name in ("who_is", "i_am", "who_has", "i_have")
}

_S7_JOBS: Final = {
    entry["name"]: ({"rosctr_name": "Job-Request", "function_code": f"0x{int(code):02x}"}, entry)
    for code, entry in table("s7comm")["functions"].items()
}
_S7_USERDATA: Final = {
    entry["name"]: (
        {"function_name": f"Request: {zeek.S7_GROUPS[int(group)]}", "subfunction_code": f"0x{int(number):02x}"},
        entry,
    )
    for code, entry in table("s7comm")["userdata"].items()
    for group, _, number in (code.partition("."),)
    if int(group) in zeek.S7_GROUPS
}
_S7_INVOCATIONS: Final = {
    entry["name"]: ({"rosctr_name": "Job-Request", "subfunction_code": entry["name"]}, entry)
    for entry in table("s7comm")["program_invocations"].values()
}
_S7_ALL: Final = {**_S7_JOBS, **_S7_USERDATA, **_S7_INVOCATIONS}
S7_FUNCTIONS: Final[Words] = {
    **{name: term for name, (term, _) in {**_S7_JOBS, **_S7_USERDATA}.items()},
    **{entry["kind"]: term for term, entry in _S7_INVOCATIONS.values() if entry["kind"] != "activate_block"},
    "activate_block": {"rosctr_name": "Job-Request", "subfunction_code": ["_INSE", "_INS2"]},
}
S7_OPERATIONS: Final = _by_operation(
    {name: entry for name, (_, entry) in _S7_ALL.items()}, {name: term for name, (term, _) in _S7_ALL.items()}
)

_OPCUA: Final = {entry["name"]: entry for entry in table("opcua")["functions"].values() if entry["kind"] == "request"}
_OPCUA_POLICY: Final = "http://opcfoundation.org/UA/SecurityPolicy#"
OPCUA_SERVICES: Final[Words] = {
    **{name: {"req_identifier_str": "".join(map(str.capitalize, name.split("_"))) + "Request"} for name in _OPCUA},
    "open_secure_channel": {"msg_type": "OPN"},  # its body may be encrypted, and has no identifier then
}
OPCUA_OPERATIONS: Final = _by_operation(_OPCUA, OPCUA_SERVICES)
OPCUA_POLICIES: Final[Words] = {
    entry["name"]: {"sec_policy_uri": f"{_OPCUA_POLICY}{entry['name']}"}
    for entry in table("opcua")["security_policies"].values()
}
OPCUA_MODES: Final[Words] = {
    entry["name"]: {"message_security_mode": int(code)} for code, entry in table("opcua")["security_modes"].items()
}
OPCUA_TOKENS: Final[Words] = {
    "anonymous": {"ext_obj_type_id_str": "AnonymousIdentityToken"},
    "user_name": {"ext_obj_type_id_str": "UserNameIdentityToken"},
    "certificate": {"ext_obj_type_id_str": "X509IdentityToken"},
    "issued_token": {"ext_obj_type_id_str": "IssuedIdentityToken"},
}
