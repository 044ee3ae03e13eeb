"""The colours of every report: names stand for meanings, in a light and a dark set."""

from __future__ import annotations

from typing import Final

__all__ = ["PALETTES"]

PALETTES: Final[dict[str, dict[str, str]]] = {
    "light": {
        "page": "#f5f6f8",
        "surface": "#ffffff",
        "soft": "#eef1f4",
        "ink": "#18222d",
        "muted": "#566473",
        "rule": "#d9dfe6",
        "accent": "#17618f",
        "band": "#eceff3",
        "zone": "#ffffff",
        "other": "#aeb8c3",
        "violation": "#b8261b",
        "unzoned": "#9a5700",
        "cannot_conclude": "#7142ad",
        "allowed": "#1f7a4d",
        "critical": "#8f1610",
        "high": "#c0392b",
        "medium": "#9a5700",
        "low": "#17618f",
        "info": "#566473",
    },
    "dark": {
        "page": "#0f141a",
        "surface": "#171e26",
        "soft": "#1f2832",
        "ink": "#e4e9ef",
        "muted": "#97a5b4",
        "rule": "#2c3742",
        "accent": "#74b7e6",
        "band": "#141b22",
        "zone": "#1b242d",
        "other": "#4d5a68",
        "violation": "#ff7568",
        "unzoned": "#f0ab45",
        "cannot_conclude": "#b996ff",
        "allowed": "#57c48b",
        "critical": "#ff8b7f",
        "high": "#ff7568",
        "medium": "#f0ab45",
        "low": "#74b7e6",
        "info": "#97a5b4",
    },
}
