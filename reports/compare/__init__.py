"""Two or more results beside each other: what appeared, vanished, changed, got better or worse, and what nobody can say.

    comparison = compare([Edition("March", march), Edition("April", april)])
"""
