"""JSON over HTTP: what may be repeated is, what may not is sent once; tokens stay with us."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from ohmstead.http_server import listening
from ohmstead.links.http import HttpPatience, Page, get_json, post_json

QUICK = HttpPatience(timeout_s=5, attempts=3, pause_s=0.01)


class Server:
    """Answers with what the test put in a row, the last one for ever."""

    def __init__(self, *answers: Response) -> None:
        self.answers = list(answers)
        self.heard: list[tuple[str, Any, str | None]] = []

    async def answer(self, request: Request) -> Response:
        body = await request.json() if request.method == "POST" else None
        self.heard.append((request.url.path, body, request.headers.get("Authorization")))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[str]:
        app = Starlette(routes=[Route("/{path:path}", self.answer, methods=["GET", "POST"])])
        async with listening(app, "127.0.0.1", 0) as port:
            yield f"http://127.0.0.1:{port}"


async def test_a_token_goes_along_with_what_is_posted() -> None:
    server = Server(JSONResponse({"data": 1}))
    async with server.serve() as url:
        page = await post_json(f"{url}/x", {"value": True}, bearer="hush", patience=QUICK)
    assert (page.status, page.body) == (200, {"data": 1})
    assert server.heard == [("/x", {"value": True}, "Bearer hush")]


async def test_what_is_posted_is_sent_once_though_the_server_is_in_trouble() -> None:
    server = Server(Response("oops", 502))
    async with server.serve() as url:
        page = await post_json(url, {}, patience=QUICK)
    assert (page.status, page.trouble, len(server.heard)) == (502, "oops", 1)


async def test_a_question_that_may_be_repeated_is_until_its_answer_settles_it() -> None:
    server = Server(Response("oops", 502), JSONResponse(-1), JSONResponse(7))
    async with server.serve() as url:
        page = await post_json(url, {}, again=unsettled, patience=QUICK)
    assert (page.body, len(server.heard)) == (7, 3)


async def test_an_answer_that_never_settles_it_is_returned_in_the_end() -> None:
    server = Server(JSONResponse(-1))
    async with server.serve() as url:
        page = await post_json(url, {}, again=unsettled, patience=QUICK)
    assert (page.body, len(server.heard)) == (-1, 3)


async def test_a_token_follows_no_redirection() -> None:
    server = Server(RedirectResponse("/elsewhere"))
    async with server.serve() as url:
        page = await get_json(url, bearer="hush", patience=QUICK)
    assert (page.status, len(server.heard)) == (307, 1)


async def test_what_is_posted_follows_no_redirection() -> None:
    server = Server(RedirectResponse("/elsewhere"))
    async with server.serve() as url:
        page = await post_json(url, {"key": "hush"}, authorization="JWT a", patience=QUICK)
    assert (page.status, [heard[2] for heard in server.heard]) == (307, ["JWT a"])


async def test_a_password_is_proved_and_never_sent() -> None:
    challenge = {"WWW-Authenticate": 'Digest realm="r", qop="auth", nonce="n", algorithm=MD5'}
    server = Server(Response("", 401, challenge), JSONResponse(1, headers={"X-Named": "s1"}))
    async with server.serve() as url:
        page = await get_json(f"{url}/x", digest=("hub", "hush"), patience=QUICK)
    assert (page.body, page.headers["x-named"]) == (1, "s1")
    first, second = (heard[2] for heard in server.heard)
    assert first is None
    assert second is not None
    assert second.startswith('Digest username="hub"')
    assert "hush" not in second


async def test_a_proof_of_a_password_follows_no_redirection() -> None:
    server = Server(RedirectResponse("/elsewhere"))
    async with server.serve() as url:
        page = await get_json(url, digest=("hub", "hush"), patience=QUICK)
    assert (page.status, len(server.heard)) == (307, 1)


@pytest.mark.parametrize("repeatable", [False, True], ids=["once", "repeatable"])
async def test_silence_is_an_answer_without_a_status(*, repeatable: bool) -> None:
    async with Server(JSONResponse(1)).serve() as url:
        pass
    page = await post_json(url, {}, again=unsettled if repeatable else None, patience=QUICK)
    assert page.status == 0
    assert page.trouble


def unsettled(page: Page) -> bool:
    return bool(page.body == -1)
