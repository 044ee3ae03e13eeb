"""The vendor that the IEEE registered a MAC address block for, from the copy that netaddr brings along."""

from __future__ import annotations

from functools import lru_cache

from netaddr import EUI, AddrFormatError, NotRegisteredError

from zonewatch.inventory.addresses import is_device_mac

_LOCALLY_ADMINISTERED = 0x02


@lru_cache(maxsize=1 << 14)
def mac_vendor(mac: str) -> str:
    """Organisation of the MAC address block.

    Empty where it is not registered, is locally administered or names a group (IEEE 802, 8.2.2), or is no MAC address.
    """
    if not is_device_mac(mac):
        return ""
    try:
        address = EUI(mac)
        if address.words[0] & _LOCALLY_ADMINISTERED:
            return ""
        return str(address.oui.registration().org).strip()
    except (AddrFormatError, NotRegisteredError, ValueError):
        return ""
