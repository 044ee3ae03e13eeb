"""The appliance: what `zonewatch watch` does between the ring of packets and the store."""
