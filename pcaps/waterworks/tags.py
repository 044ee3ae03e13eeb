"""The tag list of the water works: what its points are called and between which limits they may be."""

from __future__ import annotations

import csv
from pathlib import Path

_ASSET_AND_ADDRESS = ("asset", "unit", "kind", "address")
_REST = ("name", "description", "engineering_unit", "scale", "low", "high", "safety", "criticality", "use")
COLUMNS = (*_ASSET_AND_ADDRESS, *_REST)

# One line a tag, in the order of the columns; addresses of Modbus as on the drawings, which count from 1.
TAGS = """
plc-1||holding-register|40101|FIC-101|Coagulant dose|g/m³|0.1|0|100||high|setpoint
plc-1||coil|00001-00008|M-110|Stirrer|||||||command
plc-1||input-register|30001|FT-101|Raw water flow|m³/h||||||measurement
plc-1||input-register|30002|QT-102|Raw water turbidity|NTU|0.01|||||measurement
plc-2||holding-register|40101|FIC-201|Filter 1 flow setpoint|m³/h||0|1000||high|setpoint
plc-2||holding-register|40121|KC-201|Backwash, time of air|s||30|600|||setpoint
plc-2||holding-register|40122|KC-202|Backwash, time of air and water|s||30|600|||setpoint
plc-2||holding-register|40123|KC-203|Backwash, time of water|s||30|600|||setpoint
plc-2||holding-register|40124|KC-204|Backwash, time of settling|s||30|600|||setpoint
plc-3||input-register|30001|QT-301|Free chlorine|mg/l|0.01|||||measurement
plc-3||holding-register|40101|QIC-301|Chlorine dose setpoint|mg/l|0.01|0.8|1.5||critical|setpoint
plc-3||holding-register|40102|QAH-301|High chlorine alarm|mg/l|0.01|0.5|2|||alarm
plc-3||holding-register|40103|QSHH-301|High-high chlorine trip|mg/l|0.01|0.5|2.5|yes|critical|trip
plc-3||holding-register|40104|QY-301|Largest change of the chlorine dose|mg/l/min|0.01|0|0.2|||setpoint
plc-3||coil|00005|QZ-301|High chlorine interlock|||||yes|critical|command
gateway-1|3|holding-register|40011-40014|PT-41|Network pressure|bar|0.01|||||measurement
rtu-1||analog-input|0|LT-501|Level of well North|m|0.01|||||measurement
rtu-1||binary-output|0|P-501|Pump 1 North|||||||command
rtu-2||analog-output|0|SC-511|Speed of pump 1 Harbour|%|0.1|0|50|||setpoint
rtu-2||binary-output|2|P-513|Pump 3 Harbour|||||||command
rtu-3||analog-output|1|LIC-521|Level setpoint of tank Hill|m|0.01|0|5|||setpoint
ahu-1||analog-value|1|TIC-601|Temperature setpoint, filter hall|°C||5|30|||setpoint
ahu-2||analog-value|1|TIC-602|Temperature setpoint, chlorine store|°C||5|25|||setpoint
"""


def write_tags(path: Path) -> None:
    """The list as the audit reads it (`--tags`)."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for line in TAGS.strip().splitlines():
            cells = line.split("|")
            if len(cells) != len(COLUMNS):
                raise ValueError(line)
            writer.writerow(cells)
