"""luxpower."""
