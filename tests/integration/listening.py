"""A process that listens as the sensor does: it gives up its files, opens its capture, gives up all else, and decodes.

It answers each line of its standard input by a line of JSON: how many packets came, how its interface is, how many
events it decoded so far.
"""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path

from zonewatch.sensor.confine import become, confine, confine_files, load_without_capabilities


def main() -> None:
    """Listens until its standard input ends."""
    interface, folder = sys.argv[1], Path(sys.argv[2])
    limited = confine_files(read=[], write=[folder])
    load_without_capabilities("pyarrow")
    from zonewatch.dissectors.live import Live

    become("nobody", keep=["CAP_NET_RAW"])
    live = Live("span", [interface], threads=2)
    confined = confine()
    kept = [words for words in (*limited.lacking, *confined.lacking) if "began before" in words]
    assert not kept, f"not every thread is confined: {kept}"
    threading.Thread(target=lambda: all(iter(lambda: live.advance(100), False)), daemon=True).start()
    print(json.dumps([*limited.in_force, *confined.in_force]), flush=True)
    events = 0
    for _ in sys.stdin:
        snapshot = live.snapshot()
        events = snapshot.take("events").num_rows
        counts = live.counts()
        told = {"packets": counts.packets, "state": counts.interfaces[0].state, "events": events, "drops": counts.drops}
        (folder / "kept").write_text(json.dumps(told), encoding="utf-8")
        print(json.dumps(told), flush=True)
    live.close()
    print(json.dumps({"closed": True}), flush=True)


if __name__ == "__main__":
    main()
