"""The zone policy: its model, its file, and which zone an address belongs to (IEC 62443-3-2 ZCR 3)."""
