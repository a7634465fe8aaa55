"""Passwords as mosquitto keeps them: salted and hashed, never as they are."""

import base64
import hashlib
import secrets
from typing import Final

__all__ = ["mosquitto_line"]

_ROUNDS: Final = 101
"""What mosquitto_passwd takes; mosquitto checks at every connection."""
_SALT: Final = 12
_KEY: Final = 64


def mosquitto_line(username: str, password: str) -> str:
    """Return a line of its password file: PBKDF2 with SHA-512, its kind 7 (mosquitto 2.0).

    mosquitto_passwd would be told the password on its command line, where everybody on the
    machine can read it.
    """
    salt = secrets.token_bytes(_SALT)
    key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ROUNDS, _KEY)
    hashed = "$".join((base64.b64encode(salt).decode(), base64.b64encode(key).decode()))
    return f"{username}:$7${_ROUNDS}${hashed}\n"
