"""The file: what is written reads back, what people wrote stays, what is wrong is told with its place."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rules.baseline.days import HMI, PLC, TODAY, Traffic, at, at_stage, command, connection, poll, said, write
from tests.rules.plant import write_event
from zonewatch.rules.baseline.file import BaselineFile, load_baseline, parse_baseline
from zonewatch.rules.baseline.states import StageError, reviewed, signed, verified
from zonewatch.rules.policy.load import PolicyErrors

TRAFFIC = Traffic(
    [*poll(), write(101, 120.5), command(3, "select"), said(HMI, PLC, property_name="present-value")],
    [connection("10.0.2.5", "45.83.64.10", "https"), connection("10.0.2.5", "10.0.0.9", "rdp", state="refused")],
    events=[write_event(HMI, PLC, 101, [1.0], [], frame=n) for n in (1, 2)],
)
BASELINE = TRAFFIC.learn()
TEXT = BaselineFile(BASELINE).text


def test_it_reads_back() -> None:
    file = parse_baseline(TEXT)
    assert file.baseline == BASELINE
    assert file.text == TEXT


def test_it_is_sorted_whatever_an_editor_left() -> None:
    shuffled = BASELINE.model_copy(update={"edges": BASELINE.edges[::-1], "assets": BASELINE.assets[::-1]})
    text = BaselineFile(shuffled).text
    assert text != TEXT
    assert parse_baseline(text).baseline == BASELINE


_PANEL = "  - client: 10.0.0.5\n    server: 10.0.1.1\n"
_NOTED = 'times: 1, limits: 0..200, note: "set # by hand", values: 120.5'
COMMENTED = (
    TEXT.replace("assets:\n", "# All of them.\nassets: # sorted\n", 1)
    .replace(_PANEL, "  # The panel.\n  - client: 10.0.0.5 # in room 2\n    server: 10.0.1.1\n", 1)
    .replace("times: 1, values: 120.5", _NOTED, 1)
    .replace("changes: 0}\n", "changes: 0} # the setpoint\n", 1)
    + "# The end.\n"
)


def test_comments_and_decisions_stay_where_they_were() -> None:
    file = parse_baseline(COMMENTED)
    more = Traffic([write(99, 1, when=at(1)), write(101, 130, when=at(1)), said("10.0.0.1", PLC, when=at(1))])
    text = BaselineFile(more.learn(file.baseline), file.comments).text
    lines = text.splitlines()
    place = lines.index("  # The panel.")
    assert lines[place + 1 : place + 3] == ["  - client: 10.0.0.5  # in room 2", "    server: 10.0.1.1"]
    assert lines[lines.index("# All of them.") + 1] == "assets:  # sorted"
    (setpoint,) = [line for line in lines if "set # by hand" in line]
    assert setpoint.endswith("}  # the setpoint")
    assert "limits: 0..200" in setpoint
    assert "values: 120.5..130" in setpoint
    assert lines[-1] == "# The end."
    again = parse_baseline(text)
    assert again.text == text


def test_comments_of_what_waits_move_with_it() -> None:
    old = at_stage(BASELINE)
    text = BaselineFile(Traffic([said("10.0.0.1", PLC, when=at(1))]).learn(old)).text
    text = text.replace("pending:\n  - client: 10.0.0.1\n", "pending:\n  # Who is that?\n  - client: 10.0.0.1\n")
    file = parse_baseline(text)
    done = BaselineFile(reviewed(file.baseline, [PLC], "enforcing", "J. Doe", TODAY), file.comments).text
    assert "  # Who is that?\n  - client: 10.0.0.1\n" in done
    assert "pending:" not in done


WRONG = [
    ("    stage: learning", "    stage: enforced", "stage: enf", "unknown stage 'enforced'; did you mean 'enforcing'?"),
    ("    role: ", "    rolle: ", "rolle", "unknown key 'rolle'; did you mean 'role'?"),
    (
        "server: 10.0.1.1\n",
        "server: 10.0.1.11\n",
        "server: 10.0.1.11",
        "unknown asset '10.0.1.11'; did you mean '10.0.1.1'?",
    ),
    ("operation: write", "operation: wrote", "operation: wrote", "unknown operation 'wrote'; did you mean 'write'?"),
    ("range: holding-register 101", "range: 101", "range: 101", "is no range of objects"),
    ("values: 120.5", "values: high", "values: high", "'high' is no range of values"),
    (" day, 2026-03-02", " day, 2026-02-30", "2026-02-30", "date"),
    ("baseline_version: 1", "baseline_version: 2", "baseline_version", "2 is not known; this version reads 1"),
    ("baseline_version: 1\n", "", "", "key 'baseline_version' is missing"),
    ("edges:\n", "edges:\n  - {client: 10.0.0.5}\n", "client: 10.0.0.5}", "key 'server' is missing"),
    ("edges:\n", "edges: {a: 1}\nnothing:\n", "edges: {a", "edges: "),
    ("assets:\n", "assets:\n  - [\n", "", "expected"),
]


@pytest.mark.parametrize(("old", "new", "place", "message"), WRONG)
def test_what_is_wrong_is_told_with_its_place(old: str, new: str, place: str, message: str) -> None:
    text = TEXT.replace(old, new, 1)
    with pytest.raises(PolicyErrors) as caught:
        parse_baseline(text, "plant.yaml")
    told = next((error for error in caught.value.errors if message in error.message), None)
    assert told is not None, caught.value
    assert place in text.splitlines()[told.line - 1]
    assert str(told).startswith(f"plant.yaml:{told.line}:{told.column}: ")
    assert told.column >= 1


def test_what_is_there_twice() -> None:
    asset = TEXT[TEXT.index("assets:\n") + 8 : TEXT.index("edges:\n")]
    with pytest.raises(PolicyErrors, match="is there twice"):
        parse_baseline(TEXT.replace("assets:\n", f"assets:\n{asset}", 1))


def test_no_file_and_no_text(tmp_path: Path) -> None:
    with pytest.raises(PolicyErrors, match="No such file"):
        load_baseline(tmp_path / "none.yaml")
    (tmp_path / "octets.yaml").write_bytes(b"assets: \xff\n")
    with pytest.raises(PolicyErrors, match=r"octets.yaml:1:9: is no UTF-8 text"):
        load_baseline(tmp_path / "octets.yaml")
    for text in ("", "- 1\n", "7", "a: b: c"):
        with pytest.raises(PolicyErrors):
            parse_baseline(text)


@settings(max_examples=150, deadline=None)
@given(
    place=st.integers(0, len(TEXT) - 1),
    length=st.integers(0, 30),
    text=st.text(st.sampled_from("aZ0:,-[]{}#&*!|>'\"%@ \n\t\\ü\u0085"), max_size=6),
)
def test_a_damaged_file_gives_an_error_with_a_line_and_never_a_traceback(place: int, length: int, text: str) -> None:
    damaged = TEXT[:place] + text + TEXT[place + length :]
    lines = []
    try:
        file = parse_baseline(damaged, "plant.yaml")
    except PolicyErrors as errors:
        lines = [error.line for error in errors.errors]
    else:
        assert parse_baseline(file.text).baseline == file.baseline
    assert all(lines)


def test_a_signature_holds_until_the_content_changes() -> None:
    assert verified(BASELINE) == "unsigned"
    done = signed(at_stage(BASELINE), "J. Doe", TODAY)
    text = BaselineFile(done).text
    assert verified(parse_baseline(text).baseline) == "as signed"
    assert verified(parse_baseline(text.replace("assets:", "assets: # a comment")).baseline) == "as signed"
    assert verified(parse_baseline(text.replace("120.5", "9000.5")).baseline) == "changed"
    assert verified(parse_baseline(text.replace("stage: enforcing", "stage: learning", 1)).baseline) == "changed"


def test_somebody_answers_for_a_stage_and_a_signature() -> None:
    with pytest.raises(StageError, match="somebody"):
        reviewed(BASELINE, [PLC], "review", " ", TODAY)
    with pytest.raises(StageError, match="somebody"):
        signed(BASELINE, "", TODAY)
    with pytest.raises(StageError, match=r"no asset '10.0.1.12' in the baseline; did you mean '10.0.1.1'\?"):
        reviewed(BASELINE, ["10.0.1.12"], "review", "J. Doe", TODAY)
    asset = next(item for item in reviewed(BASELINE, [PLC], "review", "J. Doe", TODAY).assets if item.id == PLC)
    assert asset.reviewed is not None
    assert (asset.stage, asset.reviewed.by, asset.reviewed.on) == ("review", "J. Doe", TODAY)
