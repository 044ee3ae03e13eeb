"""Two or more results beside each other: what appeared, vanished, changed, and what nobody can say.

comparison = compare([Edition("March", march), Edition("April", april)])
"""
