"""What is wrong with a mirror port, question by question: figures in, answers out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from zonewatch.reports.words import clock, counted, duration, listed, visible
from zonewatch.sensor.answers import Answer, State
from zonewatch.sensor.mirror.figures import Seen

__all__ = ["examine"]

_SECOND: Final = 10**9
_FEW: Final = 20
"""Packets from which shares of them mean something."""
_LONG_SILENCE: Final = 60 * _SECOND
_NOW_SILENT: Final = 10 * _SECOND


def examine(seen: Seen, *, jumbo: bool = False) -> list[Answer]:
    """An answer to each question. `jumbo`: the interface is set for frames longer than 1,500 octets."""
    if not seen.packets:
        return [
            Answer(
                "nothing",
                "wrong",
                "Nothing arrives",
                f"0 packets{_dropped_words(seen)}.",
                "See that the mirror session exists and has this port as its destination, that the mirrored ports "
                "carry traffic, and that the cable is in that port: the link must be up on both sides.",
            )
        ]
    found = [answer for check in _CHECKS if (answer := check(seen)) is not None]
    return [*found, _length(seen, jumbo)]


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "0 %"


def _graded(value: float, note: float, wrong: float) -> State:
    return "wrong" if value >= wrong else "note" if value >= note else "good"


def _mirrored(seen: Seen) -> Answer:
    foreign = seen.unicast - seen.own
    whole = counted(seen.packets, "packet")
    figures = f"{foreign:,} of {whole} go between two other stations; {seen.group:,} go to all or many."
    if seen.own and seen.own >= 0.95 * seen.unicast:
        return Answer(
            "mirror",
            "wrong",
            "Only this machine's own traffic arrives",
            f"{seen.own:,} of {seen.unicast:,} packets between stations are to or from it.",
            "This port is an ordinary one. Make it the destination of a mirror session, or name another interface.",
        )
    if foreign < 0.02 * seen.packets:
        if seen.protocols:
            return Answer(
                "mirror",
                "note",
                "Only broadcast and multicast arrive, with control traffic in it",
                figures,
                "Of a process bus (GOOSE, sampled values) it is so, and right. Else this is an ordinary port: make "
                "it the destination of a mirror session.",
            )
        return Answer(
            "mirror",
            "wrong",
            "Only broadcast and multicast arrive: this is no mirror port",
            figures,
            "An ordinary port of a switch looks like this. Make it the destination of a mirror session (SPAN), "
            "with the ports of controllers and servers as its sources.",
        )
    return Answer("mirror", "good", "The port delivers what passes between others", figures)


def _one_host(seen: Seen) -> Answer | None:
    alone = seen.unicast >= _FEW and seen.busiest_packets >= 0.99 * seen.unicast and seen.stations > 3
    if not alone or seen.own >= 0.95 * seen.unicast:
        return None
    return Answer(
        "one-port",
        "note",
        f"All traffic is that of one station, {visible(seen.busiest)}",
        f"It is an end of {seen.busiest_packets:,} of {seen.unicast:,} packets between stations.",
        "Only its port is mirrored, or the capture was made on it. To see what the others say to one another, mirror "
        "their ports or the uplink too.",
    )


def _directions(seen: Seen) -> Answer | None:
    udp = seen.udp_both_ways + seen.udp_answers + seen.udp_asked
    whole = seen.one_way + seen.both_ways + udp
    if not whole:
        return None
    # Who is asked and is off does not answer either; only where no answer at all is heard it is the mirror.
    one_way = seen.one_way + seen.udp_answers + (0 if seen.udp_both_ways else seen.udp_asked)
    over_udp = f" and {counted(udp, 'conversation')} over UDP" if udp else ""
    figures = f"Of {counted(whole - udp, 'TCP connection')}{over_udp} {one_way:,} were heard from one side alone."
    sample = f" For one, {visible(seen.one_way_sample)}." if seen.one_way_sample else ""
    remedy = (
        "Mirror both directions (on many switches: both instead of rx or tx) of the ports; of a tap connect both "
        "outputs and name both interfaces. Where paths differ for the two directions, mirror both paths."
    )
    share = one_way / whole
    if share >= 0.9:
        return Answer("directions", "wrong", "One direction only arrives", figures + sample, remedy)
    if share >= 0.1:
        return Answer(
            "directions", "wrong", "Of a part of the traffic one direction only arrives", figures + sample, remedy
        )
    return Answer("directions", "good", "Both directions arrive", figures)


def _twice(seen: Seen) -> Answer:
    share = seen.duplicates / seen.packets
    copies = _share(seen.duplicates, seen.packets)
    figures = f"{seen.duplicates:,} of {counted(seen.packets, 'packet')} are copies ({copies})."
    what = {
        "wrong": "Nearly every packet arrives twice",
        "note": "Some packets arrive twice",
        "good": "Packets arrive once",
    }
    state = _graded(share, 0.01, 0.3)
    return Answer(
        "twice",
        state,
        what[state],
        figures,
        ""
        if state == "good"
        else "The sensor tells each once, but the mirror carries the double load. Mirror each port in one "
        "direction (rx of all ports is enough), or a VLAN once, and no port together with its VLAN or uplink.",
    )


def _lost(seen: Seen) -> Answer | None:
    if 0 < seen.gaps <= seen.cut:
        return None  # what was cut off is missing too
    share = seen.gaps / seen.packets
    state = _graded(share, 0.0005, 0.005)
    figures = f"{counted(seen.gaps, 'hole')} in TCP connections, {share * 100:.2f} for every 100 packets."
    if state == "good":
        return Answer("lost", state, "Connections arrive without holes", figures)
    return Answer(
        "lost",
        state,
        "Packets are missing inside connections",
        figures,
        "If the kernel dropped none, the switch did: more traffic is mirrored than the port carries. Mirror fewer "
        "ports, or use a faster one; some switches mirror with the lowest priority.",
    )


def _dropped_words(seen: Seen) -> str:
    return "" if seen.drops is None else f", {seen.drops:,} dropped by the kernel"


def _dropped(seen: Seen) -> Answer | None:
    if seen.drops is None:
        return None
    whole = seen.packets + seen.drops
    state = _graded(seen.drops / whole, 1e-9, 0.001)
    figures = f"{seen.drops:,} of {counted(whole, 'packet')} ({_share(seen.drops, whole)})."
    if state == "good":
        return Answer("drops", state, "The capturing machine dropped nothing", figures)
    return Answer(
        "drops",
        state,
        "The capturing machine dropped packets",
        figures,
        "It was too slow to take them. Give the sensor a larger ring or more threads (capture: ring, threads), or "
        "mirror less.",
    )


def _cut(seen: Seen) -> Answer:
    figures = f"{seen.cut:,} of {counted(seen.packets, 'packet')} ({_share(seen.cut, seen.packets)})."
    if not seen.cut:
        return Answer("cut", "good", "Packets are whole", figures)
    return Answer(
        "cut",
        "wrong",
        "Packets are cut short",
        figures,
        "What is behind the cut cannot be judged. Capture whole packets (tcpdump -s 0), and see that the switch "
        "does not truncate what it mirrors.",
    )


def _length(seen: Seen, jumbo: bool) -> Answer:
    figures = f"{seen.long:,} of {counted(seen.packets, 'packet')} are longer than Ethernet's 1,518 octets."
    if not seen.long:
        return Answer("joined", "good", "No packet is longer than Ethernet carries", figures)
    return Answer(
        "joined",
        "note" if jumbo else "wrong",
        "Packets are longer than the wire carries: they were joined on the capturing machine",
        figures,
        "Unless this network really has jumbo frames, switch off GRO and LRO where it is captured: zonewatch interface "
        "prepare does so.",
    )


def _checksums(seen: Seen) -> Answer | None:
    if not seen.checksums_tried:
        return None
    share = seen.checksums_wrong / seen.checksums_tried
    figures = f"{seen.checksums_wrong:,} of a sample of {seen.checksums_tried:,} are wrong ({share * 100:.1f} %)."
    state = _graded(share, 0.001, 0.1)
    if state == "good":
        return Answer("checksums", state, "Checksums are right", figures)
    return Answer(
        "checksums",
        state,
        "Checksums are wrong",
        figures,
        "Of many it means that it is captured on a machine that sends, before its card fills them in (a server, a "
        "virtual switch): capture at the switch. Of a few it is a fault of a cable or device, or somebody who forges "
        "packets.",
    )


def _tags(seen: Seen) -> Answer | None:
    if seen.vlans:
        names = listed((str(vlan) for vlan in seen.vlans), 8)
        return Answer("vlans", "good", "VLAN tags arrive", f"{counted(len(seen.vlans), 'VLAN')}: {names}.")
    if len(seen.untagged_networks) < 2:
        return None
    return Answer(
        "vlans",
        "note",
        "Several networks arrive without any VLAN tag",
        f"Hosts of {listed(seen.untagged_networks, 6)} ask by ARP, and no packet has a tag.",
        "If they are VLANs, their tags were taken off: let the mirror keep them (on many switches: encapsulation "
        "replicate, or a tagged mirror port). The sensor then tells them apart. Of access ports it is so, and right.",
    )


def _clock(seen: Seen) -> Answer:
    figures = f"{counted(seen.clock_jumps, 'step')} of the clock, {counted(seen.untimed, 'packet')} without a time."
    if not seen.clock_jumps and not seen.untimed:
        return Answer("clock", "good", "The clock runs evenly", figures)
    return Answer(
        "clock",
        "wrong",
        "The clock of the capturing machine stepped" if seen.clock_jumps else "Packets have no time",
        figures,
        "Times of findings are uncertain there. Let the machine keep its time by NTP or PTP from a source of the "
        "plant, and see that only one program sets it.",
    )


def _silence(seen: Seen) -> Answer:
    if seen.now is not None:
        since = max(seen.now - seen.last_time, 0)
        state: State = "note" if since >= _NOW_SILENT else "good"
        return Answer(
            "silence",
            state,
            "Traffic stopped arriving" if state == "note" else "Traffic is arriving",
            f"The last packet came {duration(since)} before the end, at {clock(seen.last_time)}.",
            "" if state == "good" else "See whether somebody changed the mirror session or pulled the cable.",
        )
    if seen.silence < _LONG_SILENCE:
        return Answer("silence", "good", "Traffic came all the time", f"The longest pause is {duration(seen.silence)}.")
    return Answer(
        "silence",
        "note",
        "There are long times without any packet",
        f"The longest pause is {duration(seen.silence)}.",
        "A plant that polls is never silent so long: the mirror or the capture stood still.",
    )


def _undecoded(seen: Seen) -> Answer | None:
    if seen.undecoded < 0.01 * seen.packets:
        return None
    return Answer(
        "undecoded",
        "note",
        "Packets cannot be read",
        f"{seen.undecoded:,} of {counted(seen.packets, 'packet')} ({_share(seen.undecoded, seen.packets)}).",
        "Their link layer or header is not known here: see whether the mirror wraps them in a tunnel of its own.",
    )


def _protocols(seen: Seen) -> Answer:
    stations = counted(seen.stations, "station")
    if seen.protocols:
        told = listed(f"{name} ({counted(count, 'station')})" for name, count in seen.protocols)
        return Answer("protocols", "good", "Control traffic arrives", f"{told}; {stations} in all.")
    return Answer(
        "protocols",
        "note",
        "No control protocol was seen",
        f"{stations} in {counted(seen.packets, 'packet')}.",
        "See that ports of controllers are mirrored, not only those of offices; or listen longer.",
    )


_CHECKS: Final[tuple[Callable[[Seen], Answer | None], ...]] = (
    _mirrored,
    _one_host,
    _directions,
    _twice,
    _lost,
    _dropped,
    _cut,
    _checksums,
    _tags,
    _clock,
    _silence,
    _undecoded,
    _protocols,
)
