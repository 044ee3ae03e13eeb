"""Process sense: a list of tags gives points of the process their names, units, scales, limits and safety meaning."""
