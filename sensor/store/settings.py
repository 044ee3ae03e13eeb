"""What of the store a site may set."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from zonewatch.sensor.measures import Duration, Size, parse_duration, parse_size


class StoreSettings(BaseModel):
    """How much is kept, and for how long."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    events_size: Size = parse_size("20 GiB")
    """Most octets of `events/`: the oldest segments go."""
    events_age: Duration = parse_duration("90 d")
    """Segments of events older than this go."""
    evidence_size: Size = parse_size("2 GiB")
    """Most octets of `evidence/`: mini captures of the oldest findings go, those of grave open ones last."""
    evidence_age: Duration = parse_duration("400 d")
    """Mini captures older than this go."""
    results_age: Duration = parse_duration("400 d")
    """Whole results of periods that ended longer ago go; their findings stay."""
    unseen_age: Duration = parse_duration("800 d")
    """Assets and edges that were not seen for so long, and findings that were resolved so long ago, go."""
    most_edges: int = 1_000_000
    """Edges that are kept across periods; those that were not seen for the longest time go."""
    reserve: Size = parse_size("64 MiB")
    """Room kept for findings and alerts; given up when the disk is full."""
    least_free: Size = parse_size("512 MiB")
    """Where less of the disk is free, events and mini captures go, the oldest first."""
    refresh: Duration = parse_duration("60 s")
    """How often mere counts and times are written anew. What is new or says something else is written at once."""
    retell: Duration = parse_duration("10 min")
    """How soon an alert is told again because its story went on; other severity, verdict or state is told at once."""
