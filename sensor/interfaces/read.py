"""An interface as the kernel tells of it: by netlink and ethtool's requests. Nothing is changed."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path
from typing import Any, Final

from zonewatch.sensor.interfaces.model import Interface
from zonewatch.sensor.usage import UsageError

__all__ = ["names", "read"]

_UP: Final = 0x1  # linux/if.h
_NO_ARP: Final = 0x80
_MULTICAST: Final = 0x1000
_ETHERNET: Final = 1  # linux/if_arp.h
_NETDEV: Final = 5  # NFPROTO_NETDEV
_EGRESS: Final = 1  # NF_NETDEV_EGRESS
_DROP: Final = 0  # NF_DROP
_GENERATIONS: Final = {0: "eui64", 1: "none", 2: "stable_secret", 3: "random"}
_LOST: Final = ("rx_dropped", "rx_missed_errors", "rx_fifo_errors", "rx_over_errors")


def names() -> tuple[str, ...]:
    """The interfaces of this machine."""
    return tuple(name for _, name in socket.if_nameindex())


def read(name: str, root: Path = Path("/")) -> Interface:
    """Everything about one interface. `root` is where the files of network managers lie."""
    try:
        from pyroute2 import Ethtool, IPRoute
    except ImportError as error:
        raise UsageError("interfaces are read with the package pyroute2: pip install 'zonewatch[appliance]'") from error
    if name not in names():
        raise UsageError(f"no interface {name}; there are {', '.join(names())}")
    with IPRoute() as kernel:
        link = kernel.get_links(ifname=name)[0]
        index = link["index"]
        addresses = tuple(
            f"{found.get('IFA_LOCAL') or found.get('IFA_ADDRESS')}/{found['prefixlen']}"
            for found in kernel.get_addr(index=index)
        )
        gateways = {
            str(route.get("RTA_GATEWAY"))
            for family in (socket.AF_INET, socket.AF_INET6)
            for route in kernel.get_routes(family=family)
            if route.get("RTA_OIF") == index and route.get("RTA_GATEWAY")
        }
        master = _master(kernel, link.get("IFLA_MASTER"))
    features: tuple[str, ...] = ()
    speed, duplex = None, ""
    with contextlib.suppress(OSError), contextlib.closing(Ethtool()) as card:  # a service may be denied its sockets
        features = _features(card, name)
        speed, duplex = _speed(card, name)
    flags, statistics = link["flags"], link.get("IFLA_STATS64") or {}
    ipv6, generation = _ipv6(link)
    return Interface(
        name=name,
        index=index,
        mac=link.get("IFLA_ADDRESS") or "",
        ethernet=link["ifi_type"] == _ETHERNET,
        up=bool(flags & _UP),
        carrier=bool(link.get("IFLA_CARRIER")),
        arp=not flags & _NO_ARP,
        multicast=bool(flags & _MULTICAST),
        mtu=link.get("IFLA_MTU") or 0,
        promiscuity=link.get("IFLA_PROMISCUITY") or 0,
        addresses=addresses,
        gateways=tuple(sorted(gateways)),
        ipv6=ipv6,
        address_generation=generation,
        master=master[0],
        master_kind=master[1],
        kind=_kind(link),
        driver=_driver(name),
        speed=speed,
        duplex=duplex,
        features=features,
        egress_dropped=_egress_dropped(name),
        manager=_manager(index, root),
        sent=statistics.get("tx_packets", 0),
        received=statistics.get("rx_packets", 0),
        lost=sum(statistics.get(field, 0) for field in _LOST),
    )


def _master(kernel: Any, index: int | None) -> tuple[str, str]:
    if not index:
        return "", ""
    link = kernel.get_links(index)[0]
    return link.get("IFLA_IFNAME") or "", _kind(link)


def _kind(link: Any) -> str:
    about = link.get("IFLA_LINKINFO")
    return str(about.get("IFLA_INFO_KIND") or "") if about else ""


def _ipv6(link: Any) -> tuple[bool, str]:
    """Whether IPv6 is on, and how addresses are made. A kernel without IPv6 tells nothing of it."""
    families = link.get("IFLA_AF_SPEC")
    six = families.get("AF_INET6") if families else None
    if not six:
        return False, "none"
    settings = six.get("IFLA_INET6_CONF") or {}
    return not settings.get("disable_ipv6", 1), _GENERATIONS.get(six.get("IFLA_INET6_ADDR_GEN_MODE"), "")


def _features(card: Any, name: str) -> tuple[str, ...]:
    with contextlib.suppress(Exception):  # the driver has none, or the user may not ask
        return tuple(sorted(key for key, found in card.get_features(name).features.items() if key and found.enable))
    return ()


def _speed(card: Any, name: str) -> tuple[int | None, str]:
    with contextlib.suppress(Exception):  # as above; without a link there is no speed
        mode = card.get_link_mode(name)
        return (mode.speed if mode.speed and mode.speed > 0 else None), str(mode.duplex or "")
    return None, ""


def _driver(name: str) -> str:
    place = Path("/sys/class/net") / name / "device" / "driver"
    return place.resolve().name if place.exists() else ""


def _egress_dropped(name: str) -> bool | None:
    """Whether a chain of nftables at the interface's way out drops all; none where the user may not ask."""
    from pyroute2.nftables.main import NFTables

    try:
        with NFTables(nfgen_family=_NETDEV) as filters:
            return any(_drops(found, name) for found in filters.get_chains())
    except Exception:  # no nftables, or no right to ask
        return None


def _drops(found: Any, name: str) -> bool:
    hook = found.get("NFTA_CHAIN_HOOK")
    if not hook or hook.get("NFTA_HOOK_HOOKNUM") != _EGRESS or found.get("NFTA_CHAIN_POLICY") != _DROP:
        return False
    devices = hook.get("NFTA_HOOK_DEVS")
    several = [str(value) for _, value in devices["attrs"]] if devices else []
    return name in (hook.get("NFTA_HOOK_DEV"), *several)


def _manager(index: int, root: Path) -> str:
    """The program that configures it, by what that program notes of the interface."""
    for name, file, word in (
        ("NetworkManager", root / "run/NetworkManager/devices" / str(index), "managed=true"),
        ("systemd-networkd", root / "run/systemd/netif/links" / str(index), "NETWORK_FILE="),
    ):
        try:
            if word in file.read_text(encoding="utf-8", errors="replace"):
                return name
        except OSError:
            continue
    return ""
