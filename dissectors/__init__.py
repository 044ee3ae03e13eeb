"""The decoding engine: bytes to columns. `decoder` is its face, `schemas` and `vocabulary` its contract."""
