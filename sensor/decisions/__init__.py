"""What people decided about findings, in a log that is only ever added to."""
