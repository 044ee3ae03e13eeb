"""Services of the public captures, beside what other tools say of them."""

"""Services beside an independent dissector, and what must not be told of them."""
