"""givenergy."""
