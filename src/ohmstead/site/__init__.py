"""The running house: supervised polling, the loop, what was asked for, and the journal."""
