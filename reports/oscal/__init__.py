"""Assessment results as OSCAL (NIST): `oscal.json` for tools of governance, risk and control."""
