"""The Debian package, installed in a copy of this machine's files that is thrown away."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = """
set -e
base=$1 deb=$2
mount -t tmpfs tmpfs "$base"
mkdir "$base/upper" "$base/work" "$base/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$base/upper,workdir=$base/work" "$base/root"
mount -t proc proc "$base/root/proc"
mount --bind /dev "$base/root/dev"
cp "$deb" "$base/root/tmp/zonewatch.deb"
chroot "$base/root" /bin/sh -ec '
    dpkg -i --force-depends /tmp/zonewatch.deb > /dev/null
    zonewatch --version
    echo "manual: $(ls /usr/share/man/man1/zonewatch.1.gz)"
    zonewatch watch --config /etc/zonewatch/zonewatch.yaml --check
    echo kept > /var/lib/zonewatch/store.db
    dpkg -i --force-depends /tmp/zonewatch.deb > /dev/null
    echo "upgraded: $(cat /var/lib/zonewatch/store.db)"
    mv /usr/lib/zonewatch/wheels /usr/lib/zonewatch/gone
    ! /bin/sh /var/lib/dpkg/info/zonewatch.postinst configure > /dev/null 2>&1
    echo "after one that failed: $(zonewatch --version), $(ls -d /usr/lib/zonewatch/venv* | wc -l) environment"
    mv /usr/lib/zonewatch/gone /usr/lib/zonewatch/wheels
    dpkg --purge zonewatch
    echo "left: $(ls /usr/lib/zonewatch 2>&1 || true)"
    echo "purged: $(cat /var/lib/zonewatch/store.db), $(ls /usr/bin/zonewatch 2>&1 || true)"
'
"""


def why_not() -> str:
    if os.geteuid() != 0:
        return "a package is installed by root"
    missing = [name for name in ("dpkg-deb", "unshare", "mount", "chroot") if shutil.which(name) is None]
    return f"not here: {', '.join(missing)}" if missing else ""


pytestmark = [pytest.mark.integration, pytest.mark.skipif(bool(why_not()), reason=why_not())]


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    built = subprocess.run(
        (sys.executable, "packaging/build.py", "deb", "--out", str(out)), cwd=ROOT, capture_output=True, text=True
    )
    assert built.returncode == 0, built.stderr
    return Path(built.stdout.strip().splitlines()[-1])


def test_it_installs_without_a_network_upgrades_and_leaves_the_store(package: Path, tmp_path: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PIP_", "PYTHON"))}
    environment["PIP_NO_INDEX"] = "1"
    done = subprocess.run(
        ("unshare", "--mount", "--net", "/bin/sh", "-c", SCRIPT, "install", str(tmp_path), str(package)),
        capture_output=True,
        text=True,
        env=environment,
    )
    if "unknown filesystem type 'overlay'" in done.stderr:
        pytest.skip("this kernel has no overlay of file systems")
    assert done.returncode == 0, done.stderr
    told = " ".join(done.stdout.split())
    assert "zonewatch 0." in told
    assert "manual: /usr/share/man/man1/zonewatch.1.gz" in told
    assert "listens at span on eth1" in told
    assert "upgraded: kept" in told
    assert "after one that failed: zonewatch 0.1.0, 1 environment" in told
    assert "purged: kept" in told
    assert "left: ls: cannot access" in told
    assert "No such file" in told
