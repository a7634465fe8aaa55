"""Problem in, the cheapest plan out: pure, exact where it can be, certified always."""
