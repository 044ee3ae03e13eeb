"""The hosts that speak in the captures of services."""

from __future__ import annotations

from builders.wire import WINDOWS, Station

ENGINEERING = Station("192.168.20.10", "b0:83:fe:d1:20:0a", WINDOWS)
SERVER = Station("192.168.20.5", "00:50:56:8a:20:05", WINDOWS)
CAMERA = Station("192.168.20.40", "00:40:8c:20:20:28")
SWITCH = Station("192.168.20.2", "00:0e:8c:20:20:02")

SECRET = b"Wq7-planted-Zx4"
"""Stands for every password, token, cookie and value of a query; nothing that is told of a capture holds it."""
