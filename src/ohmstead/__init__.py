"""Ohmstead: a local-first home-energy controller."""

__all__ = ["__version__"]

__version__ = "0.1.0"
