"""A network interface as the kernel tells of it, and what is wrong with it for a sensor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Command", "Deviation", "Interface", "Matter"]

Command = tuple[str, ...]
"""A program and its arguments, as they are run: no shell reads them."""
Matter = Literal["silence", "capture"]
"""What suffers: the sensor could send; it could see less or other than what passed."""


@dataclass(frozen=True, slots=True)
class Interface:
    """One interface. None is unknown: the kernel, the driver or the user's rights do not tell."""

    name: str
    index: int = 0
    mac: str = ""
    ethernet: bool = True
    up: bool = True
    carrier: bool = True
    arp: bool = False
    multicast: bool = False
    mtu: int = 1500
    promiscuity: int = 0  # how many listen to all frames
    addresses: tuple[str, ...] = ()  # with their prefix
    gateways: tuple[str, ...] = ()  # routers that this machine reaches by it
    ipv6: bool = False
    address_generation: str = "none"  # eui64, none, stable_secret, random
    master: str = ""  # bridge, bond … that it belongs to
    master_kind: str = ""
    kind: str = ""  # veth, bridge, vlan …; empty: a card
    driver: str = ""
    speed: int | None = None  # Mbit/s
    duplex: str = ""
    features: tuple[str, ...] = ()  # those of the driver that are on, by the kernel's names
    egress_dropped: bool | None = None  # a filter of nftables that lets nothing out
    manager: str = ""  # a program that configures it
    sent: int = 0  # packets, since it is there
    received: int = 0
    lost: int = 0  # received, but given up by card or driver


@dataclass(frozen=True, slots=True)
class Deviation:
    """One thing that is not as it should be, why it matters, and the commands that mend it."""

    id: str
    matter: Matter
    what: str
    why: str
    commands: tuple[Command, ...] = ()
    remedy: str = ""  # what a person has to do, where no command does
    advice: bool = False  # true: the sensor is silent and sees all without it
