"""zonewatch: learns an OT network by listening, and proves it against a zone policy (IEC 62443)."""

__version__ = "0.1.0"
