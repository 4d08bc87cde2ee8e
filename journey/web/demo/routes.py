"""The demonstration's addresses. Each form works without JavaScript: it posts, then goes back."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from journey.bootstrap import App
from journey.services.context import Missing, Refusal
from journey.services.conversation import playing
from journey.web.access import PUBLIC
from journey.web.charts.acts import Asked, FieldFault
from journey.web.charts.cards import Chart
from journey.web.demo import acts, boards, letters
from journey.web.demo.acts import ACTS
from journey.web.demo.boards import Board
from journey.web.demo.controls import Controls, controls_of
from journey.web.pages import page
from journey.web.requests import journey_of
from journey.web.same_origin import own_pages_only
from journey.web.security import FRAMED_MAIL, WITH_FRAMES

HOME = "/demo"
router = APIRouter(dependencies=[PUBLIC, Depends(own_pages_only)])
TheApp = Annotated[App, Depends(journey_of)]
TheControls = Annotated[Controls, Depends(controls_of)]
Back = Annotated[str, Form()]


@router.get("/")
def begin() -> Response:
    return RedirectResponse(HOME, status_code=307)


@router.get(HOME)
def home(app: TheApp, controls: TheControls) -> HTMLResponse:
    """Everybody: what needs a person, the patients, the phone and the inbox."""
    board = boards.read_board(app, controls)
    return _page("demo-home", board, controls, here=HOME)


@router.get(HOME + "/now")
def now(app: TheApp, controls: TheControls) -> JSONResponse:
    """Changes its version whenever a page would look different; the script asks for it."""
    moment = app.context.clock.now()
    with app.context.database.read() as tx:
        version = boards.version_of(tx, controls, moment)
    return JSONResponse({"version": version, "playing": controls.is_playing})


@router.post(HOME + "/clock/{button}")
def press(button: str, controls: TheControls, back: Back = HOME) -> Response:
    """Presses one of the clock's buttons."""
    buttons = {
        "next": controls.to_next,
        "day": lambda: controls.ahead(1),
        "play": controls.play,
        "pause": controls.pause,
    }
    if button not in buttons:
        raise Missing("The clock has no such button.")
    buttons[button]()
    return _back(back)


@router.get(HOME + "/patients/{enrollment_id}")
def patient(enrollment_id: UUID, app: TheApp, controls: TheControls) -> HTMLResponse:
    """One patient: the line of time, their phone and inbox, and what can be done."""
    board = boards.read_board(app, controls)
    chart, line, texts_stopped = boards.read_patient(app, enrollment_id, board)
    possible = acts.acts_for(chart, board.face.at, texts_stopped=texts_stopped)
    return _page(
        "demo-patient",
        board,
        controls,
        here=_address(chart),
        chart=chart,
        line=line,
        acts=possible,
        texts_stopped=texts_stopped,
    )


@router.get(HOME + "/patients/{enrollment_id}/{key}")
def ask(
    enrollment_id: UUID,
    key: str,
    app: TheApp,
    controls: TheControls,
    day: Annotated[str | None, Query()] = None,
    arrival: Annotated[str, Query()] = "",
) -> HTMLResponse:
    """What an act would change. Changes nothing itself."""
    board = boards.read_board(app, controls)
    chart, asked = _asked(app, board, enrollment_id, key, day, arrival)
    return _consequences(app, board, controls, chart, asked)


@router.post(HOME + "/patients/{enrollment_id}/{key}")
def act(
    enrollment_id: UUID,
    key: str,
    app: TheApp,
    controls: TheControls,
    revision: Annotated[int, Form()],
    day: Annotated[str | None, Form()] = None,
    arrival: Annotated[str, Form()] = "",
) -> Response:
    """Does it, while the clock stands still."""
    with controls.still():
        board = boards.read_board(app, controls)
        chart, asked = _asked(app, board, enrollment_id, key, day, arrival)
        try:
            acts.perform(app, chart, asked, revision, board.face.at)
        except Refusal as error:
            return _consequences(app, board, controls, chart, asked, error)
    return _back(_address(chart))


@router.get(HOME + "/messages/{message_id}")
def message(message_id: UUID, app: TheApp, controls: TheControls) -> HTMLResponse:
    """One message: its words as they went out or would now, and everything that happened to it."""
    board = boards.read_board(app, controls)
    chart, card = letters.find(board, message_id)
    response = _page(
        "demo-message",
        board,
        controls,
        here=f"{HOME}/messages/{message_id}",
        chart=chart,
        card=card,
        words=letters.words_of(app, chart, message_id, board),
        events=letters.events_of(app, chart, message_id),
    )
    response.headers["content-security-policy"] = WITH_FRAMES
    return response


@router.post(HOME + "/messages/{message_id}/reply")
def reply(
    message_id: UUID, app: TheApp, controls: TheControls, text: Annotated[str, Form()] = "", back: Back = HOME
) -> Response:
    """What the patient writes back to a text, while the clock stands still."""
    with controls.still():
        playing.reply(app.context, app.library, message_id, text.strip(), acts.ACTOR)
    return _back(back)


@router.get(HOME + "/messages/{message_id}/html")
def html(message_id: UUID, app: TheApp, controls: TheControls) -> HTMLResponse:
    """An e-mail's HTML alone, in a sandbox of its own: no scripts, no forms, nothing loaded."""
    board = boards.read_board(app, controls)
    chart, _ = letters.find(board, message_id)
    words = letters.words_of(app, chart, message_id, board)
    headers = {"content-security-policy": FRAMED_MAIL}
    return HTMLResponse(letters.for_frame(words.html), headers=headers)


def _asked(
    app: App, board: Board, enrollment_id: UUID, key: str, day: str | None, arrival: str
) -> tuple[Chart, Asked]:
    chart, _, texts_stopped = boards.read_patient(app, enrollment_id, board)
    known = ACTS.get(key)
    if known is None or (known.key == "stop-texts" and texts_stopped):
        raise Missing("That cannot be done for this patient.")
    return chart, acts.first_guess(chart, known) if day is None else Asked(known, day, arrival)


def _consequences(
    app: App,
    board: Board,
    controls: Controls,
    chart: Chart,
    asked: Asked,
    error: Refusal | None = None,
) -> HTMLResponse:
    found = None
    try:
        found = acts.consequences(app, chart, asked, board.face.at)
    except Refusal as refusal:
        error = error or refusal
    return _page(
        "demo-change",
        board,
        controls,
        status=422 if error else 200,
        here=f"{_address(chart)}/{asked.act.key}",
        chart=chart,
        asked=asked,
        found=found,
        error=str(error or ""),
        field=error.field if isinstance(error, FieldFault) else "",
    )


def _address(chart: Chart) -> str:
    return f"{HOME}/patients/{chart.id}"


def _page(
    name: str, board: Board, controls: Controls, *, here: str, status: int = 200, **values: Any
) -> HTMLResponse:
    now_at: datetime = board.face.at
    return page(
        name,
        status=status,
        here=here,
        board=board,
        face=board.face,
        stories=controls.stories,
        state_of=lambda chart: boards.state_of(chart, now_at),
        procedure_of=lambda chart: boards.procedure_of(chart, now_at),
        **values,
    )


def _back(address: str) -> Response:
    """To the page that the form stood on, if it is one of ours."""
    own = address == HOME or (address.startswith(HOME + "/") and "\\" not in address)
    return RedirectResponse(address if own else HOME, status_code=303)
