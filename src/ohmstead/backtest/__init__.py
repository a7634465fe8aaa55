"""Replays houses, tariffs and strategies: what each would have cost."""
