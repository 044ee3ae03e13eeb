"""The draft of a policy from traffic: what was used, by how much, what is drafted, and what a person has to decide."""
