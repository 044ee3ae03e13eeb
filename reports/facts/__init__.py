"""Facts measured from the result of an audit: what was observed, what was not, and what could not be."""
