"""What an interface that only listens must be like: a table of deviations, each with the command that mends it.

Nothing here asks the kernel: an `Interface` comes in, rows go out, in the order in which they are mended.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from zonewatch.reports.words import listed
from zonewatch.sensor.interfaces.model import Command, Deviation, Interface

__all__ = ["LEAST_MTU", "MERGING", "TABLE", "chain", "deviations"]

LEAST_MTU: Final = 1500
_GIGABIT: Final = 1000
TABLE: Final = "zonewatch"
"""The table of nftables that lets nothing out, a chain an interface."""
MERGING: Final = {"rx-gro": "gro", "rx-lro": "lro", "rx-gro-hw": "rx-gro-hw", "rx-gro-list": "rx-gro-list"}
"""What joins segments before they are captured: the kernel's name, and ethtool's."""
_TAKING: Final = {"rx-vlan-hw-parse": "rxvlan", "rx-vlan-stag-hw-parse": "rx-vlan-stag-hw-parse"}


def deviations(interface: Interface) -> tuple[Deviation, ...]:
    """Everything that is not as it should be, in the order in which it is to be mended."""
    return tuple(found for check in _CHECKS if (found := check(interface)) is not None)


def chain(name: str) -> str:
    """The name of an interface's chain: nftables allows fewer letters than the kernel."""
    return "out_" + re.sub(r"[^A-Za-z0-9_]", "_", name)


def _link(interface: Interface, *words: str) -> Command:
    return ("ip", "link", "set", "dev", interface.name, *words)


def _no_ethernet(interface: Interface) -> Deviation | None:
    if interface.ethernet:
        return None
    return Deviation(
        "link-type",
        "capture",
        f"{interface.name} is no Ethernet interface",
        "A mirror port delivers Ethernet frames; here there are none.",
        remedy="Name the interface that the mirror port is plugged into.",
    )


def _managed(interface: Interface) -> Deviation | None:
    if not interface.manager:
        return None
    by_command = interface.manager == "NetworkManager"
    return Deviation(
        "manager",
        "silence",
        f"{interface.manager} configures it",
        "It asks for addresses by DHCP, and undoes what is set here whenever the link comes up.",
        commands=(("nmcli", "device", "set", interface.name, "managed", "no"),) if by_command else (),
        remedy=""
        if by_command
        else f"Write a file such as /etc/systemd/network/05-{interface.name}.network with [Match] Name={interface.name}"
        " and [Link] Unmanaged=yes, then run: networkctl reload",
    )


def _member(interface: Interface) -> Deviation | None:
    if not interface.master:
        return None
    return Deviation(
        "member",
        "silence",
        f"it belongs to the {interface.master_kind or 'group'} {interface.master}",
        "A bridge or bond sends what others deliver to it; frames of other networks would leave by the mirror port.",
        commands=(_link(interface, "nomaster"),),
    )


def _generation(interface: Interface) -> Deviation | None:
    if interface.address_generation in ("", "none"):
        return None
    return Deviation(
        "addrgenmode",
        "silence",
        f"it makes itself an IPv6 address ({interface.address_generation})",
        "As soon as the link comes up it asks whether the address is free, and for routers: it sends.",
        commands=(_link(interface, "addrgenmode", "none"),),
    )


def _ipv6(interface: Interface) -> Deviation | None:
    if not interface.ipv6:
        return None
    return Deviation(
        "ipv6",
        "silence",
        "IPv6 is on",
        "The kernel answers neighbours, asks for routers and joins groups, each by a packet.",
        commands=(("sysctl", "-q", "-w", f"net/ipv6/conf/{interface.name}/disable_ipv6=1"),),
    )


def _arp(interface: Interface) -> Deviation | None:
    if not interface.arp:
        return None
    return Deviation(
        "arp",
        "silence",
        "ARP is on",
        "The kernel answers whoever asks for an address of this machine.",
        commands=(_link(interface, "arp", "off"),),
    )


def _multicast(interface: Interface) -> Deviation | None:
    if not interface.multicast:
        return None
    return Deviation(
        "multicast",
        "silence",
        "multicast is on",
        "Joining a group is told to the switch by a packet (IGMP, MLD).",
        commands=(_link(interface, "multicast", "off"),),
    )


def _addressed(interface: Interface) -> Deviation | None:
    if not interface.addresses:
        return None
    return Deviation(
        "addresses",
        "silence",
        f"it has {listed(interface.addresses, 4)}",
        "Programs of this machine send to that network by it, and the kernel answers what is sent to the address.",
        commands=(("ip", "address", "flush", "dev", interface.name),),
    )


def _leaking(interface: Interface) -> Deviation | None:
    if interface.egress_dropped is not False:
        return None
    hook = f"{{ type filter hook egress device {interface.name} priority 0 ; policy drop ; }}"
    return Deviation(
        "egress",
        "silence",
        "no filter stops what other programs of this machine send",
        "The sensor cannot send by itself; this is for all other programs, such as LLDP or a DHCP client.",
        commands=(
            ("nft", "add", "table", "netdev", TABLE),
            ("nft", "add", "chain", "netdev", TABLE, chain(interface.name), hook),
        ),
        advice=True,
    )


def _merging(interface: Interface) -> Deviation | None:
    found = [name for name in MERGING if name in interface.features]
    if not found:
        return None
    switches = [word for name in found for word in (MERGING[name], "off")]
    return Deviation(
        "merging",
        "capture",
        f"segments are joined before they are seen ({listed(found)})",
        "Frames that never were on the wire, longer than it carries: counts, times and evidence are wrong.",
        commands=(("ethtool", "-K", interface.name, *switches),),
    )


def _taking(interface: Interface) -> Deviation | None:
    found = [name for name in _TAKING if name in interface.features]
    if not found:
        return None
    switches = [word for name in found for word in (_TAKING[name], "off")]
    return Deviation(
        "vlan-tags",
        "capture",
        "the card takes VLAN tags out of the frames",
        "The sensor puts them back from what the kernel notes; other programs, such as tcpdump's older ones, do not.",
        commands=(("ethtool", "-K", interface.name, *switches),),
        advice=True,
    )


def _checksums(interface: Interface) -> Deviation | None:
    if "rx-checksum" not in interface.features:
        return None
    return Deviation(
        "checksums",
        "capture",
        "the card judges checksums",
        "Some cards keep back frames whose checksum is wrong; just those may be an attack, or a fault.",
        commands=(("ethtool", "-K", interface.name, "rx", "off"),),
        advice=True,
    )


def _short(interface: Interface) -> Deviation | None:
    if interface.mtu >= LEAST_MTU:
        return None
    return Deviation(
        "mtu",
        "capture",
        f"its MTU is {interface.mtu}",
        "Longer frames are dropped before they are seen; Ethernet carries 1,500 octets.",
        commands=(_link(interface, "mtu", str(LEAST_MTU)),),
    )


def _down(interface: Interface) -> Deviation | None:
    if interface.up:
        return None
    return Deviation("down", "capture", "it is switched off", "Nothing can arrive.", commands=(_link(interface, "up"),))


def _unplugged(interface: Interface) -> Deviation | None:
    if interface.carrier or not interface.up:
        return None
    return Deviation(
        "carrier",
        "capture",
        "it has no link",
        "Nothing can arrive.",
        remedy="Plug the cable in on both sides, and see that the mirror port of the switch is not shut down.",
    )


def _slow(interface: Interface) -> Deviation | None:
    half = interface.duplex.lower() == "half"
    slow = interface.speed is not None and 0 < interface.speed < _GIGABIT
    if not half and not slow:
        return None
    rate = f"{interface.speed} Mbit/s" if interface.speed else "a link"
    return Deviation(
        "speed",
        "capture",
        f"it runs at {rate}{' half duplex' if half else ''}",
        "A mirror carries both directions of every port it copies; what does not fit is dropped by the switch, unseen.",
        remedy="Use a port of 1 Gbit/s or more for the mirror; see the cable and the port's settings.",
        advice=not half,
    )


def _losing(interface: Interface) -> Deviation | None:
    if not interface.lost:
        return None
    return Deviation(
        "lost",
        "capture",
        f"card and driver lost {interface.lost:,} of {interface.received + interface.lost:,} packets",
        "They were on the wire and are in no capture.",
        remedy=f"Give the card longer rings (ethtool -g {interface.name}, then ethtool -G {interface.name} rx MOST).",
        advice=True,
    )


def _spoken(interface: Interface) -> Deviation | None:
    if not interface.sent:
        return None
    return Deviation(
        "sent",
        "silence",
        f"{interface.sent:,} packets were sent by it since it is there",
        "They went into the plant, whoever sent them: this machine's kernel, or a program on it.",
        remedy="Mend the rest, then look again: the number must not grow.",
        advice=True,
    )


_CHECKS: Final[tuple[Callable[[Interface], Deviation | None], ...]] = (
    _no_ethernet,
    _managed,
    _member,
    _generation,
    _ipv6,
    _arp,
    _multicast,
    _addressed,
    _leaking,
    _merging,
    _taking,
    _checksums,
    _short,
    _down,
    _unplugged,
    _slow,
    _losing,
    _spoken,
)
