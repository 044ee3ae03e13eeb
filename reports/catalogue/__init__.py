"""The standards as data: requirements in our own wording, the vocabulary of measured facts, ATT&CK for ICS."""
