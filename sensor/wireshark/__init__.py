"""Wireshark's dissectors as a second reader: tshark run on files, what it says read by pyshark, secrets masked."""
