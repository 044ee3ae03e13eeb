"""Services beside an independent dissector, and what must not be told of them."""
