"""Makes the pictures of the README and of the documentation anew, from the bundled plant.

    .venv/bin/python docs/pictures/make.py

Needs Chromium, and the packages for tests (typst).
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
PLANT: Final = HERE.parents[1] / "pcaps" / "waterworks"
GIVEN: Final = {"policy": "policy.yaml", "assets": "assets.csv", "tags": "tags.csv"}
PAGES: Final = {
    "report": ("result/report.html", 1300, 1500),
    "iec62443": ("iec62443/report.html", 1300, 1500),
    "nis2": ("nis2/report.html", 1300, 1500),
}
"""A picture by its name: which page, width and height."""


def run(*words: str, folder: Path) -> str:
    """What a command of zonewatch prints."""
    command = [sys.executable, "-m", "zonewatch.sensor.cli", *words]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


def photograph(browser: str, page: Path, width: int, height: int, picture: Path) -> None:
    """A page as a browser shows it first."""
    subprocess.run(
        [
            *(browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
            *("--force-color-profile=srgb", f"--window-size={width},{height}", f"--screenshot={picture}"),
            page.as_uri(),
        ],
        check=True,
        capture_output=True,
    )


def main() -> None:
    """Every picture of the table."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        sys.exit("chromium is missing")
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        given = [f"--{name}={PLANT / file}" for name, file in GIVEN.items()]
        run("audit", str(PLANT / "waterworks.pcap"), *given, "--out=result", folder=folder)
        for framework in ("iec62443", "nis2"):
            run("report", "result", f"--framework={framework}", f"--out={framework}", folder=folder)
        for name, (page, width, height) in PAGES.items():
            photograph(browser, folder / page, width, height, HERE / f"{name}.png")
            print(HERE / f"{name}.png")


if __name__ == "__main__":
    main()
