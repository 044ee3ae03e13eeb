"""The approved policy as rules of what enforces it: nftables, Suricata, and commercial firewalls through aerleon."""
