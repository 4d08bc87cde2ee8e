"""Every refusal and failure as a page in plain words; for the API, as a problem document."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from journey.services.context import Missing, Refusal
from journey.store.database import StoreUnavailable, Unfit
from journey.web.access import SecondFactorNeeded
from journey.web.api import problems
from journey.web.pages import page
from journey.web.security import HEADERS

_TITLES = {
    403: "Not allowed",
    404: "Not found",
    405: "Not possible here",
    413: "Too large",
    422: "Not understood",
    429: "Too many tries",
}
_FAULT = (
    "Something in Journey went wrong, and what you did may not have been done: look before you try again. "
    "The log says where it was."
)
_AWAY = "The database does not answer; nothing was done. Try again in a minute"
_GONE = (
    "The database does not answer, so nothing can be shown or changed now. Messages wait and go out when it "
    "is back. This page works again by itself; try in a minute."
)


def add_handlers(web: FastAPI) -> None:
    web.add_exception_handler(Refusal, _refused)
    web.add_exception_handler(RequestValidationError, _unreadable)
    web.add_exception_handler(HTTPException, _failed)
    web.add_exception_handler(StoreUnavailable, _unavailable)
    web.add_exception_handler(Unfit, _unfit)
    web.add_exception_handler(SecondFactorNeeded, _second_factor)
    web.add_exception_handler(problems.Problem, problems.on_problem)
    web.add_exception_handler(Exception, _faulty)


def say(title: str, text: str, status: int) -> Response:
    return page("refused", status=status, title=title, text=text)


async def _refused(request: Request, error: Exception) -> Response:
    if problems.is_api(request) and isinstance(error, Refusal):
        return problems.refused(error)
    if isinstance(error, Missing):
        return say("Not found", str(error), 404)
    return say("Not possible", str(error), 422)


async def _unreadable(request: Request, error: Exception) -> Response:
    if problems.is_api(request) and isinstance(error, RequestValidationError):
        return problems.unreadable(error.errors())
    return say("Not found", "There is nothing at this address. Go back and try again.", 404)


async def _failed(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    text = str(error.detail)
    if problems.is_api(request):
        headers = {"allow": problems.allowed_methods(request)} if error.status_code == 405 else {}
        return problems.as_problem(error.status_code, text, headers=headers)
    if error.status_code == 404 and text == "Not Found":
        text = "There is no page at this address."
    response = say(_TITLES.get(error.status_code, "Not possible"), text, error.status_code)
    if error.status_code == 429:
        response.headers["retry-after"] = "900"
    return response


async def _unavailable(request: Request, _error: Exception) -> Response:
    if problems.is_api(request):
        return problems.as_problem(503, _AWAY, headers={"retry-after": "60"})
    response = say("Journey cannot reach its database", _GONE, 503)
    response.headers["retry-after"] = "60"
    return response


async def _unfit(request: Request, error: Exception) -> Response:
    if problems.is_api(request):
        return problems.as_problem(422, str(error))
    return say(
        "Not possible", f"{str(error).capitalize()}. Go back, shorten or retype it, and try again.", 422
    )


async def _second_factor(_request: Request, error: Exception) -> Response:
    assert isinstance(error, SecondFactorNeeded)
    return RedirectResponse("/sign-in/code" if error.is_set else "/second-factor", status_code=303)


async def _faulty(request: Request, _error: Exception) -> Response:
    """A fault of ours. It is raised again behind this answer, and the log tells its type and its place."""
    is_api = problems.is_api(request)
    response = problems.as_problem(500, _FAULT) if is_api else say("Journey made a mistake", _FAULT, 500)
    response.headers.update(HEADERS)  # this answer goes out around the middleware that sets them
    return response
