"""Makes what is carried to a machine without a network: a wheelhouse, and a Debian package that holds one.

    python packaging/build.py wheelhouse --out dist      # dist/zonewatch-VERSION-wheels.tar.gz
    python packaging/build.py deb --out dist             # dist/zonewatch_VERSION_ARCHITECTURE.deb

Both hold every package by the hash in `requirements/appliance.txt`; installing them fetches nothing.
"""

from __future__ import annotations

import argparse
import gzip
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
HERE: Final = Path(__file__).parent
PINNED: Final = ROOT / "requirements" / "appliance.txt"
SCHEMA: Final = ROOT / "sensor" / "schemas" / "settings.schema.json"
HOME: Final = Path("usr/lib/zonewatch")
INSTALL: Final = """#!/bin/sh
# Installs zonewatch into a folder of its own, without a network: ./install.sh [FOLDER]
set -e
here=$(cd "$(dirname "$0")" && pwd)
to=${1:-zonewatch}
python3 -m venv "$to"
install() { "$to/bin/python" -m pip install --quiet --no-index "$@"; }
install --find-links "$here/wheels" --require-hashes -r "$here/requirements.txt"
install --no-deps "$here"/wheels/zonewatch-*.whl
"$to/bin/zonewatch" --version
"""


def version() -> str:
    """Of the project."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        return str(tomllib.load(file)["project"]["version"])


def moment() -> int:
    """The time that every file in an archive gets: that of the last commit, or SOURCE_DATE_EPOCH."""
    if given := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(given)
    told = subprocess.run(("git", "log", "-1", "--format=%ct"), cwd=ROOT, capture_output=True, text=True, check=False)
    return int(told.stdout.strip() or 0)


def fill(folder: Path) -> None:
    """Puts the wheels of all packages, and of the project, into `folder/wheels`, their hashes beside them."""
    wheels = folder / "wheels"
    wheels.mkdir(parents=True)
    pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
    wanted = ("--only-binary", ":all:", "--no-deps", "--require-hashes", "-r", str(PINNED))
    subprocess.run((*pip, "download", *wanted, "--dest", str(wheels)), check=True)
    build = ("--no-deps", "--no-build-isolation", "--wheel-dir", str(wheels), str(ROOT))
    # The interpreter and profile of `make`, so that the engine that it built is taken.
    chosen = {"SETUPTOOLS_RUST_CARGO_PROFILE": "release", "PYO3_PYTHON": sys.executable}
    subprocess.run((*pip, "wheel", *build), check=True, env={**os.environ, **chosen})
    shutil.copy(PINNED, folder / "requirements.txt")


def wheelhouse(out: Path) -> Path:
    """An archive with `install.sh` in it."""
    name = f"zonewatch-{version()}-wheels"
    target, at = out / f"{name}.tar.gz", moment()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / name
        fill(folder)
        script = folder / "install.sh"
        script.write_text(INSTALL, "utf-8")
        script.chmod(0o755)
        plain = Path(temporary) / "plain.tar"
        with tarfile.open(plain, "w") as archive:
            for path in (folder, *sorted(folder.rglob("*"))):
                archive.add(path, path.relative_to(folder.parent), recursive=False, filter=_timeless(at))
        with target.open("wb") as file, gzip.GzipFile("", "wb", 6, file, mtime=at) as packed, plain.open("rb") as tar:
            shutil.copyfileobj(tar, packed)
    return target


def _timeless(at: int) -> Callable[[tarfile.TarInfo], tarfile.TarInfo]:
    def changed(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.mtime, member.uid, member.gid, member.uname, member.gname = at, 0, 0, "root", "root"
        return member

    return changed


def deb(out: Path) -> Path:
    """A package for the Debian of this machine: its Python makes the environment that the package installs."""
    architecture = subprocess.check_output(("dpkg", "--print-architecture"), text=True).strip()
    target = out / f"zonewatch_{version()}_{architecture}.deb"
    with tempfile.TemporaryDirectory() as temporary:
        tree = Path(temporary) / "tree"
        fill(tree / HOME)
        _copy(HERE / "systemd" / "zonewatch-watch.service", tree / "lib/systemd/system/zonewatch-watch.service")
        _copy(HERE / "systemd" / "zonewatch-ship.service", tree / "lib/systemd/system/zonewatch-ship.service")
        _copy(HERE / "systemd" / "zonewatch.sysusers", tree / "usr/lib/sysusers.d/zonewatch.conf")
        _copy(HERE / "zonewatch.yaml", tree / "etc/zonewatch/zonewatch.yaml")
        _copy(SCHEMA, tree / "usr/share/zonewatch/settings.schema.json")
        _copy(ROOT / "LICENSE", tree / "usr/share/doc/zonewatch/copyright")
        _copy(ROOT / "CHANGELOG.md", tree / "usr/share/doc/zonewatch/CHANGELOG.md")
        for page in sorted((ROOT / "docs").rglob("*.md")):
            _copy(page, tree / "usr/share/doc/zonewatch" / page.relative_to(ROOT / "docs"))
        _manual(HERE / "zonewatch.1", tree / "usr/share/man/man1/zonewatch.1.gz")
        control = tree / "DEBIAN"
        control.mkdir()
        text = (HERE / "debian" / "control.in").read_text("utf-8")
        # Wheels are of one Python: on a Debian with another nothing is unpacked, rather than half of it installed.
        major, minor = sys.version_info[:2]
        for name, value in (
            ("VERSION", version()),
            ("ARCHITECTURE", architecture),
            ("PYTHON", f"{major}.{minor}"),
            ("NEXT_PYTHON", f"{major}.{minor + 1}"),
        ):
            text = text.replace(f"@{name}@", value)
        (control / "control").write_text(text, "utf-8")
        (control / "conffiles").write_text("/etc/zonewatch/zonewatch.yaml\n", "utf-8")
        for name in ("postinst", "prerm", "postrm"):
            _copy(HERE / "debian" / name, control / name)
            (control / name).chmod(0o755)
        subprocess.run(
            ("dpkg-deb", "--root-owner-group", "-Zxz", "-z1", "--build", str(tree), str(target)),
            check=True,
            stdout=subprocess.DEVNULL,
            env={**os.environ, "SOURCE_DATE_EPOCH": str(moment())},
        )
    return target


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o644)


def _manual(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True)
    target.write_bytes(gzip.compress(source.read_bytes(), 9, mtime=0))
    target.chmod(0o644)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("wheelhouse", "deb"))
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    print({"wheelhouse": wheelhouse, "deb": deb}[given.what](given.out))


if __name__ == "__main__":
    main()
