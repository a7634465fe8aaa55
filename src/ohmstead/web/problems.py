"""Every refusal as problem details (RFC 9457): what is wrong, and what to do."""

from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from ohmstead.errors import JournalError, OhmsteadError, RequestError

__all__ = ["PROBLEM", "Problem", "add_problems", "problem"]

PROBLEM: Final[dict[str, Any]] = {
    "description": "Why it cannot be answered as asked, and what to do",
    "content": {
        "application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemView"}}
    },
}
"""How OpenAPI describes every refusal."""


class Problem(OhmsteadError):
    """A request over HTTP that cannot be answered as asked."""

    def __init__(
        self, status: HTTPStatus, detail: str, headers: dict[str, str] | None = None
    ) -> None:
        """Answer with *status*, and say why in *detail*."""
        super().__init__(detail)
        self.status = status
        self.headers = headers


def problem(
    status: int,
    detail: str,
    headers: dict[str, str] | None = None,
    **more: Any,  # noqa: ANN401 - JSON
) -> JSONResponse:
    """Return a problem as an answer."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    return JSONResponse(body | more, status, headers=headers, media_type="application/problem+json")


def add_problems(app: FastAPI) -> None:
    """Let *app* answer every error with a problem."""

    @app.exception_handler(Problem)
    async def _ours(request: Request, exc: Problem) -> JSONResponse:
        del request
        return problem(exc.status, str(exc), exc.headers)

    @app.exception_handler(RequestError)
    async def _asked_wrong(request: Request, exc: RequestError) -> JSONResponse:
        del request
        return problem(HTTPStatus.CONFLICT, str(exc))

    @app.exception_handler(JournalError)
    async def _no_journal(request: Request, exc: JournalError) -> JSONResponse:
        del request
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, str(exc))

    @app.exception_handler(HTTPException)
    async def _plain(request: Request, exc: HTTPException) -> JSONResponse:
        detail = str(exc.detail)
        if exc.status_code == HTTPStatus.NOT_FOUND:
            detail = f"there is nothing at {request.url.path}; see /api/v1/openapi.json"
        return problem(exc.status_code, detail, dict(exc.headers or {}))

    @app.exception_handler(Exception)
    async def _bug(request: Request, exc: Exception) -> JSONResponse:
        del exc  # the server logs it with its trace; an answer shows none of it
        return problem(
            HTTPStatus.INTERNAL_SERVER_ERROR,
            f"{request.url.path} failed because of a bug; the log says more, please report it",
        )

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, exc: RequestValidationError) -> JSONResponse:
        del request
        wrong: dict[str, list[str]] = {}
        for error in exc.errors():  # a value of several types has one for each of them
            wrong.setdefault(_field(error), []).append(error["msg"])
        errors = [{"field": field, "problem": " or ".join(said)} for field, said in wrong.items()]
        said = "; ".join(f"{e['field'] or 'the body'}: {e['problem']}" for e in errors)
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, said, errors=errors)


def _field(error: dict[str, Any]) -> str:
    """Return the name of what is wrong; for a body that is no JSON, "" and not the character."""
    if error["type"] == "json_invalid":
        return ""
    return ".".join(str(step) for step in error["loc"][1:2])  # no field of ours has parts
