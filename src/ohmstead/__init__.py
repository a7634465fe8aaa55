"""Ohmstead: a local-first home-energy controller."""
