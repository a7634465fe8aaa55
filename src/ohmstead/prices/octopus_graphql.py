"""Octopus' GraphQL: an API key becomes a token for an hour, and questions are put with it.

Answers come with status 200 even where they are refusals; the codes in them say what it was.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from ohmstead.errors import PriceSourceBusy, PriceSourceError
from ohmstead.links.http import HttpPatience, Page, post_json

__all__ = ["GraphqlAnswer", "OctopusGraphql"]

_TOKEN_KEPT: Final = timedelta(minutes=55)
"""A token holds for an hour; a new one is had a little before."""
_TOO_MANY_S: Final = 300.0
_LOG_IN: Final = """mutation token($key: String!) {
  obtainKrakenToken(input: {APIKey: $key}) { token }
}"""
_OK: Final = 200
_BAD_QUESTION: Final = 400
_REST: Final = frozenset({403, 429})
_STRANGERS: Final = frozenset(
    {"KT-CT-1111", "KT-CT-1134", "KT-CT-1135", "KT-CT-1139", "KT-CT-1143", "OE-0103"}
)
_BUSY: Final = "KT-CT-1199"
_UNKNOWN_FIELD: Final = ("Cannot query field", "Unknown argument", "Unknown type")


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphqlAnswer:
    """What came back: the good part of the data, and the codes of what went wrong."""

    data: Mapping[str, Any]
    codes: frozenset[str] = field(default_factory=frozenset)
    no_such_field: bool = False
    """The schema has no such field any more, so the question must be put in another way."""


class OctopusGraphql:
    """One API key's way to ask, on whichever of Octopus' two servers knows the answer."""

    def __init__(self, api_key: str, url: str, patience: HttpPatience | None = None) -> None:
        """Speak for *api_key*, which goes to *url* and nowhere else; nothing is sent yet."""
        self._key = api_key
        self._url = f"{url}/v1/graphql/"
        self._patience = patience
        self._token: str | None = None
        self._token_until: datetime | None = None

    async def ask(
        self, query: str, variables: Mapping[str, Any], now: datetime, url: str | None = None
    ) -> GraphqlAnswer:
        """Return the answer to *query*; raises ``PriceSourceError`` if there is none.

        An old token is replaced once. *url* is another server that takes the same token.
        """
        where = self._url if url is None else f"{url}/v1/graphql/"
        for fresh in (False, True):
            token = await self._valid_token(now)
            answer = self._answer(
                await post_json(
                    where,
                    {"query": query, "variables": dict(variables)},
                    authorization=f"JWT {token}",
                    again=lambda _: False,
                    patience=self._patience,
                )
            )
            if not answer.codes & _STRANGERS:
                return answer
            self._token = None
            if fresh:
                break
        raise PriceSourceError("Octopus does not accept its own token; check api_key and account")

    # ---- how it is done -------------------------------------------------------------

    async def _valid_token(self, now: datetime) -> str:
        if self._token is not None and self._token_until is not None and now < self._token_until:
            return self._token
        page = await post_json(
            self._url,
            {"query": _LOG_IN, "variables": {"key": self._key}},
            again=lambda _: False,
            patience=self._patience,
        )
        answer = self._answer(page)
        if answer.codes & _STRANGERS:
            raise PriceSourceError("Octopus does not know the API key; check api_key")
        token = (answer.data.get("obtainKrakenToken") or {}).get("token")
        if not isinstance(token, str) or not (token.isascii() and token.isprintable()):
            raise PriceSourceError("Octopus gave no token for the API key; check api_key")
        self._token, self._token_until = token, now + _TOKEN_KEPT
        return token

    def _answer(self, page: Page) -> GraphqlAnswer:
        """Return what *page* says, or raise if it says nothing that can be used."""
        if page.status == 0:
            raise PriceSourceError(f"Octopus does not answer: {self._plain(page.trouble)}")
        if page.status not in {_OK, _BAD_QUESTION} or not isinstance(page.body, dict):
            said = f"Octopus' GraphQL is in trouble ({page.status})"
            if page.status in _REST:
                raise PriceSourceBusy(said, page.retry_after_s or _TOO_MANY_S)
            raise PriceSourceError(said)
        errors = [e for e in page.body.get("errors") or () if isinstance(e, dict)]
        codes = frozenset(_code(error) for error in errors)
        if _BUSY in codes:
            raise PriceSourceBusy("Octopus asks us to slow down (KT-CT-1199)", _TOO_MANY_S)
        data = page.body.get("data")
        return GraphqlAnswer(
            data=data if isinstance(data, dict) else {},
            codes=codes,
            no_such_field=any(
                str(error.get("message", "")).startswith(_UNKNOWN_FIELD) for error in errors
            ),
        )

    def _plain(self, text: str) -> str:
        return text.replace(self._key, "…")[:200]


def _code(error: Mapping[str, Any]) -> str:
    extensions = error.get("extensions")
    return str(extensions.get("errorCode", "")) if isinstance(extensions, dict) else ""
