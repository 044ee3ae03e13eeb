"""The store of a sensor: what it found, for years. `store.Store` writes it, `reading` looks at it."""

from zonewatch.sensor.store.commands import app

__all__ = ["app"]
