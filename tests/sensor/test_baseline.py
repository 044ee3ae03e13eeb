"""`zonewatch baseline …` from the outside, and a baseline in the audit."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest

from tests import command
from tests.rules.draft.halves import cut
from zonewatch.rules.baseline.file import load_baseline
from zonewatch.rules.policy.load import load_policy

ROOT = Path(__file__).parents[2]
PLANT = ROOT / "pcaps" / "waterworks"
CAPTURE = PLANT / "waterworks.pcap"
POLICY = ("--policy", PLANT / "policy.yaml")
JOE = ("--by", "J. Doe", "--on", "2026-03-05")

run = partial(command.run, cwd=ROOT)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The two halves of the plant, and what was learned of the first."""
    path = tmp_path_factory.mktemp("baseline")
    cut(CAPTURE, path / "first.pcap", 0, 0.5)
    cut(CAPTURE, path / "second.pcap", 0.5, 1)
    done = run("baseline", "learn", path / "first.pcap", "--out", path / "learning.yaml", *POLICY)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "32 assets" in done.stderr
    (path / "plant.yaml").write_bytes((path / "learning.yaml").read_bytes())
    assert run("baseline", "review", path / "plant.yaml", "--every", "--to", "enforcing", *JOE).returncode == 0
    assert run("baseline", "sign", path / "plant.yaml", *JOE).returncode == 0
    return path


def rows(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_what_was_learned_is_shown(folder: Path) -> None:
    done = run("baseline", "show", folder / "learning.yaml", "--format", "jsonl")
    found = [row for row in rows(done.stdout) if (row["client"], row["server"]) == ("scada-1", "plc-3")]
    assert done.returncode == 0
    assert {row["function"] for row in found} >= {"read_coils", "read_holding_registers", "read_input_registers"}
    polled = next(row for row in found if row["function"] == "read_coils")
    assert (polled["objects"], polled["period"], polled["stage"]) == ("coil 0-15", "5 s", "learning")


def test_while_learning_nothing_is_told(folder: Path) -> None:
    given = (folder / "second.pcap", "--baseline", folder / "learning.yaml", *POLICY)
    done = run("baseline", "compare", *given, "--format", "jsonl")
    assert (done.returncode, done.stdout) == (0, "")
    assert "assets that are still learning; --all shows them" in done.stderr
    assert run("baseline", "compare", *given, "--all").returncode == 1


def test_the_story_of_the_second_half_deviates(folder: Path) -> None:
    given = (folder / "second.pcap", "--baseline", folder / "plant.yaml", *POLICY)
    done = run("baseline", "compare", *given, "--format", "jsonl")
    found = {(row["severity"], row["kind"], row["client"], row["server"]) for row in rows(done.stdout)}
    assert done.returncode == 1
    assert {
        ("medium", "new_asset", "", "10.20.1.77"),
        ("medium", "new_edge", "10.20.1.77", "eng-1"),
        ("high", "new_edge", "eng-1", "plc-3"),
        ("high", "new_function", "eng-1", "plc-3"),
    } <= found
    assert {kind for severity, kind, *_ in found if severity == "high"} == {"new_edge", "new_function"}
    table = run("baseline", "compare", *given)
    assert (table.returncode, "new_asset" in table.stdout) == (1, True)


def test_the_first_half_does_not(folder: Path) -> None:
    done = run(
        "baseline", "compare", folder / "first.pcap", "--baseline", folder / "plant.yaml", *POLICY, "--format", "csv"
    )
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 1), done.stdout


def test_the_audit_tells_deviations_as_findings(folder: Path, tmp_path: Path) -> None:
    done = run(
        *("audit", folder / "second.pcap", "--baseline", folder / "plant.yaml", *POLICY),
        *("--out", tmp_path / "result", "--json", "-"),
    )
    assert done.returncode == 0, done.stderr
    findings = json.loads(done.stdout)["findings"]
    found = {
        (item["rule"], item["severity"], *item["assets"]) for item in findings if item["rule"].startswith("baseline.")
    }
    assert ("baseline.new_function", "high", "eng-1", "plc-3") in found
    assert ("baseline.new_asset", "medium", "10.20.1.77") in found


def test_learning_more_keeps_what_was_reviewed(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "plant.yaml"
    text = (folder / "plant.yaml").read_text().replace("assets:\n", "# Walked down on Monday.\nassets:\n")
    path.write_text(text)
    again = run("baseline", "learn", folder / "first.pcap", "--out", path, *POLICY)
    assert (again.returncode, "was learned from first.pcap already" in again.stderr) == (2, True)
    done = run("baseline", "learn", folder / "second.pcap", "--out", path, *POLICY)
    assert done.returncode == 0
    assert "to review" in done.stderr
    assert "changed since J. Doe on 2026-03-05 signed it" in done.stderr
    assert "# Walked down on Monday.\nassets:\n" in path.read_text()
    old, new = load_baseline(folder / "plant.yaml").baseline, load_baseline(path).baseline
    assert [edge for edge in new.edges if edge.key in {one.key for one in old.edges}] == list(old.edges)
    differ = run("baseline", "diff", folder / "plant.yaml", path)
    assert (differ.returncode, "+pending:" in differ.stdout) == (1, True)
    assert run("baseline", "diff", path, path).returncode == 0


def test_a_change_after_signing_is_noticed(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "plant.yaml"
    for change, code, says in (
        (("# Baseline", "# The baseline"), 0, "as signed by J. Doe on 2026-03-05"),
        (("coil 0-15", "coil 0-16"), 1, "changed since it was signed by J. Doe on 2026-03-05"),
    ):
        path.write_text((folder / "plant.yaml").read_text().replace(*change, 1))
        done = run("baseline", "verify", path)
        assert (done.returncode, says in done.stdout) == (code, True), done.stdout
    assert "nobody has signed it" in run("baseline", "verify", folder / "learning.yaml").stdout


def test_what_is_enforced_is_drafted_as_a_policy(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    assert run("baseline", "policy", folder / "plant.yaml", "--out", path).returncode == 0
    assert load_policy(path).conduits
    check = run("policy", "check", path, "--as-of", "2026-03-05")
    assert (check.returncode, "\n0 errors" in check.stdout) == (0, True), check.stdout
    assert run("baseline", "policy", folder / "learning.yaml").returncode == 2


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("learn", CAPTURE), "--out FILE is needed"),
        (("compare", CAPTURE), "--baseline FILE is needed"),
        (("show", "none.yaml"), "none.yaml: No such file or directory"),
        (("show", PLANT / "policy.yaml"), "is no baseline: it needs baseline_version"),
        (("review", "plant.yaml"), "name an asset with --asset ID, or --every"),
        (
            ("review", "plant.yaml", "--asset", "plc-33", *JOE),
            "no asset 'plc-33' in the baseline; did you mean 'plc-3'?",
        ),
        (("review", "plant.yaml", "--asset", "plc-3"), "somebody has to answer for it"),
        (("sign", "plant.yaml"), "somebody has to sign it"),
        (("sign", "plant.yaml", "--by", "J. Doe", "--on", "Monday"), "--on Monday: a day expected"),
    ],
)
def test_wrong_use(folder: Path, arguments: tuple[str | Path, ...], says: str) -> None:
    known = folder / "plant.yaml"
    before = known.read_bytes()
    done = run("baseline", *(known if item == "plant.yaml" else item for item in arguments))
    assert (done.returncode, says in done.stderr) == (2, True), done.stderr
    assert known.read_bytes() == before
