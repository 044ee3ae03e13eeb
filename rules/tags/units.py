"""Engineering units of BACnet by their numbers (ASHRAE 135-2020, clause 21, BACnetEngineeringUnits), as symbols."""

from __future__ import annotations

from typing import Final

_SYMBOLS: Final = """
0   m²; ft²; mA; A; Ω; V; kV; MV; VA; kVA
10  MVA; var; kvar; Mvar; °; ; J; kJ; Wh; kWh
20  BTU; thm; TRh; J/kg; BTU/lb; 1/h; 1/min; Hz; g/kg; %RH
30  mm; m; in; ft; W/ft²; W/m²; lm; lx; fc; kg
40  lb; t; kg/s; kg/min; kg/h; lb/min; lb/h; W; kW; MW
50  BTU/h; hp; TR; Pa; kPa; bar; psi; cmH2O; inH2O; mmHg
60  cmHg; inHg; °C; K; °F; °C·d; °F·d; a; mo; wk
70  d; h; min; s; m/s; km/h; ft/s; ft/min; mph; ft³
80  m³; imp gal; l; gal; ft³/min; m³/s; imp gal/min; l/s; l/min; gal/min
90  °; °C/h; °C/min; °F/h; °F/min; ; ppm; ppb; %; %/s
100 1/min; 1/s; psi/°F; rad; rpm; ; ; ; ;
110 ; ; ; ; ; in²; cm²; BTU/lb; cm; lb/s
120 Δ°F; ΔK; kΩ; MΩ; mV; kJ/kg; MJ; J/K; J/(kg·K); kHz
130 MHz; 1/h; mW; hPa; mbar; m³/h; l/h; kWh/m²; kWh/ft²; MJ/m²
140 MJ/ft²; W/(m²·K); ft³/s; %/ft; %/m; mΩ; MWh; kBTU; MBTU; kJ/kg
150 MJ/kg; kJ/K; MJ/K; N; g/s; g/min; t/h; kBTU/h; cs; ms
160 N·m; mm/s; mm/min; m/min; m/h; m³/min; m/s²; A/m; A/m²; A·m²
170 F; H; Ω·m; S; S/m; T; V/K; V/m; Wb; cd
180 cd/m²; K/h; K/min; J·s; rad/s; m²/N; kg/m³; N·s; N/m; W/(m·K)
190 µS; ft³/h; gal/h; km; µm; g; mg; ml; ml/s; dB
200 dBmV; dBV; mS; varh; kvarh; Mvarh; mmH2O; ‰; g/g; kg/kg
210 g/kg; mg/g; mg/kg; g/ml; g/l; mg/l; µg/l; g/m³; mg/m³; µg/m³
220 ng/m³; g/cm³; Bq; kBq; MBq; Gy; mGy; µGy; Sv; mSv
230 µSv; µSv/h; dB(A); NTU; pH; g/m²; min/K; Ω·m²/m; A·s; VAh
240 kVAh; MVAh; varh; kvarh; Mvarh; V²h; A²h; J/h; ft³/d; m³/d
250 Wh/m³; J/m³; mol%; Pa·s; MMSCFM
"""
"""Ten a line; empty for a number without a symbol, a power factor (15), currencies (105 to 114) and no unit (95)."""


def _symbols() -> dict[int, str]:
    found: dict[int, str] = {}
    for line in _SYMBOLS.strip().splitlines():
        first, _, symbols = line.partition(" ")
        found |= {int(first) + index: text.strip() for index, text in enumerate(symbols.split(";"))}
    return {code: symbol for code, symbol in found.items() if symbol}


UNITS: Final = _symbols()
"""By number; what is not here has no symbol."""
