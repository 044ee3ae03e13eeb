"""Zeek's and ICSNPP's words for codes. Names come from the engine's tables; only what they spell otherwise is written
down here, once for reading logs and for searching them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from zonewatch.dissectors.codes import table

MODBUS_FUNCTIONS: Final = {
    "13": "PROGRAM_584_984",
    "14": "POLL_584_984",
    "17": "REPORT_SLAVE_ID",
    "18": "PROGRAM_884_U84",
    "19": "RESET_COMM_LINK_884_U84",
    "43": "ENCAP_INTERFACE_TRANSPORT",
    "90": "PROGRAM_UNITY",
}
MODBUS_RESERVED: Final = {"PROGRAM_CONCEPT": 40, "MULTIPLE_FUNCTION_CODES": 41, "FIRMWARE_REPLACEMENT": 125}
"""Codes that Zeek names and the engine's table, like the standard, does not."""
MODBUS_EXCEPTIONS: Final = {"4": "SLAVE_DEVICE_FAILURE", "6": "SLAVE_DEVICE_BUSY"}
DNP3_FUNCTIONS: Final = {
    "6": "DIRECT_OPERATE_NR",
    "7": "IMMED_FREEZE",
    "8": "IMMED_FREEZE_NR",
    "10": "FREEZE_CLEAR_NR",
    "12": "FREEZE_AT_TIME_NR",
    "16": "INITIALIZE_APPL",
    "17": "START_APPL",
    "18": "STOP_APPL",
    "19": "SAVE_CONFIG",
    "23": "DELAY_MEASURE",
    "28": "GET_FILE_INFO",
    "31": "ACTIVATE_CONFIG",
    "32": "AUTHENTICATE_REQ",
    "33": "AUTHENTICATE_ERR",
    "131": "AUTHENTICATE_RESP",
}
BACNET_BVLC: Final = {
    "write_broadcast_distribution_table": "Write_Broadcast_Table",
    "register_foreign_device": "Register_Foreign_Device",
    "delete_foreign_device_table_entry": "Delete_Foreign_Device_Table_Entry",
}
S7_GROUPS: Final = {
    1: "Programmer Controls",
    2: "Cyclic Services",
    3: "Block Functions",
    4: "CPU Functions",
    5: "Security",
    7: "Time Functions",
    15: "NC Programming",
}
"""Groups of requests. Changes of the mode are told by the device unasked, and are not among them."""


class Function(NamedTuple):
    """A code with its name and operation."""

    code: int | None
    name: str
    operation: str
    kind: str = ""


UNKNOWN: Final = Function(None, "", "unknown")


def entries(protocol: str, group: str) -> Mapping[str, Any]:
    """A group of a table of codes."""
    found: Mapping[str, Any] = table(protocol)[group]
    return found


def functions(protocol: str, group: str, other: Mapping[str, str] | None = None) -> dict[str, Function]:
    """Zeek's word → the function."""
    return {
        (other or {}).get(code, entry["name"].upper()): Function(
            int(code), entry["name"], entry.get("operation", "unknown"), entry.get("kind", "")
        )
        for code, entry in entries(protocol, group).items()
    }
