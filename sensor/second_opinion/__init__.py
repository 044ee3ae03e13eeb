"""tshark's counts of the same captures, beside ours."""
