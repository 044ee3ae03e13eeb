"""The static check of a policy: what is wrong or unwise with it before any traffic is seen."""
