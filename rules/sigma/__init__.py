"""Rules in the Sigma format: the fields that they read, how they are judged, and what they find."""
