"""For all tests: a slow machine is no failure."""

import os

from hypothesis import settings

os.environ.setdefault("OHMSTEAD_FAST", "0")  # plain kernels, into which coverage can look

settings.register_profile("house", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("house")
