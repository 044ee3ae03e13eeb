"""Native detectors: what is exposed, unknown or unprotected, with a policy or without one.

A detector gives findings with the facts that they tell; a fact told by an earlier detector of the table
`detectors.DETECTORS` is not told again.
"""
