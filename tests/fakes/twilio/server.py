"""The HTTP face of the fake: creates, look-ups, control."""

import asyncio
import base64
import json
import time
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from tests.fakes.ledger import Ledger
from tests.fakes.twilio import faults
from tests.fakes.twilio.callbacks import CallbackSender
from tests.fakes.twilio.messages import API_VERSION, Message, MessageStore, as_json, as_page
from tests.fakes.twilio.rules import Action
from tests.fakes.twilio.settings import Settings, changed

Form = dict[str, str]
Refusal = tuple[int, int, str]  # HTTP status, Twilio's code, Twilio's words

BAD_NUMBERS = {
    "+15005550001": (21211, "The 'To' number is not a valid phone number."),
    "+15005550009": (21614, "'To' number is not a valid mobile number"),
}
UNKNOWN_SID = (404, 20404, "The requested resource was not found")


class TwilioServer:
    """State of one fake account, and a handler for `aiohttp.web.Server`."""

    def __init__(self, ledger: Ledger, account_sid: str, auth_token: str) -> None:
        self._ledger = ledger
        self._account = account_sid
        credentials = base64.b64encode(f"{account_sid}:{auth_token}".encode()).decode()
        self._authorization = f"Basic {credentials}"
        self._messages_uri = f"/{API_VERSION}/Accounts/{account_sid}/Messages"
        self._create_path = self._messages_uri + ".json"
        self.callbacks = CallbackSender(auth_token)
        self._start_empty()

    def _start_empty(self) -> None:
        self._settings = Settings()
        self._messages = MessageStore()
        self._counts = {"creates": 0, "accepted": 0, "refused": 0, "dropped": 0, "lookups": 0}

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path, _, query = request.raw_path.partition("?")
        if path.startswith("/_"):
            return await self._operate(request, path)
        if request.headers.get("Authorization") != self._authorization:
            return error_answer(401, 20003, "Authenticate")
        if request.method == "POST" and path == self._create_path:
            form = dict(parse_qsl((await request.read()).decode(), keep_blank_values=True))
            return await self._create(request, form)
        if request.method == "GET" and path.startswith(self._messages_uri):
            return await self._look_up(request, path, dict(parse_qsl(query)))
        return error_answer(*UNKNOWN_SID)

    # Creates

    async def _create(self, request: web.BaseRequest, form: Form) -> web.StreamResponse:
        settings = self._settings
        number = self._counts["creates"] = self._counts["creates"] + 1
        action = settings.rules.choose(form.get("To", ""), form.get("Body", ""))
        if action and not action.accepts:
            await self._record_failure(action, form, number)
            return await self._fail(request, action)
        if action and action.kind == "delay":
            await asyncio.sleep(action.seconds)
        if refusal := find_refusal(form, settings.opted_out):
            await self._record("refused", form, number, status=refusal[0], code=refusal[1])
            return error_answer(*refusal)
        message = await self._accept(form, number, action)
        answer = json_answer(as_json(message, created=True), status=201)
        await self._start_callbacks(message, settings)
        if action and action.kind == "delay_after":
            await asyncio.sleep(action.seconds)
        elif action and action.kind not in ("answer", "delay"):
            return await self._fail(request, action)
        if settings.latency:
            await asyncio.sleep(settings.latency)
        return answer

    async def _accept(self, form: Form, number: int, action: Action | None) -> Message:
        message = Message(
            account=self._account,
            to=form["To"],
            sender=form.get("From"),
            body=form["Body"],
            callback=form.get("StatusCallback"),
            service=form.get("MessagingServiceSid"),
            n=number,
        )
        self._counts["accepted"] += 1
        self._messages.add(message)
        event = {"event": "accepted", **ledger_fields(message)}
        if action:
            event["action"] = action.name
        if "ValidityPeriod" in form:
            event["validity"] = int(form["ValidityPeriod"])
        await self._ledger.append(event)
        return message

    async def _start_callbacks(self, message: Message, settings: Settings) -> None:
        plan = settings.callbacks
        if not message.callback or not plan.statuses:
            return
        if plan.mode == "early":
            await self.callbacks.send_all(message, plan)
        else:
            self.callbacks.schedule(message, plan)

    async def _fail(self, request: web.BaseRequest, action: Action) -> web.StreamResponse:
        if action.kind == "error":
            return error_answer(action.status, action.code, f"Fault on demand: {action.name}")
        if action.kind == "garbage":
            return web.Response(text="<html>upstream said nothing</html>", content_type="text/html")
        if action.kind == "hang":
            await faults.hang(request)
        if action.kind.startswith("kill"):
            pids = faults.kill(request, action)
            await self._ledger.append(
                {"event": "killed", "action": action.name, "pids": pids, "at": time.time()}
            )
        faults.reset(request)
        return web.Response()  # nobody is left to read it

    async def _record_failure(self, action: Action, form: Form, number: int) -> None:
        event = "refused" if action.kind == "error" else "dropped"
        details: dict[str, Any] = {"action": action.name}
        if action.kind == "error":
            details |= {"status": action.status, "code": action.code}
        await self._record(event, form, number, **details)

    async def _record(self, event: str, form: Form, number: int, **details: Any) -> None:
        self._counts[event] += 1
        fields = {"to": form.get("To"), "body": form.get("Body"), "at": time.time(), "n": number}
        await self._ledger.append({"event": event, **fields, **details})

    # Look-ups

    async def _look_up(self, request: web.BaseRequest, path: str, query: Form) -> web.Response:
        self._counts["lookups"] += 1
        lookup = self._settings.lookup
        if lookup.mode == "hang":
            await faults.hang(request)
        if lookup.mode == "down":
            return error_answer(503, 20503, "Service unavailable")
        visible_until = 0.0 if lookup.mode == "empty" else time.time() - lookup.lag
        if path == self._create_path:
            try:
                found = self._messages.find(query, accepted_by=visible_until)
                return json_answer(as_page(found, path, query))
            except ValueError as error:
                return error_answer(400, 20001, str(error))
        sid = path.removeprefix(self._messages_uri + "/").removesuffix(".json")
        message = self._messages.by_sid.get(sid)
        if message is None or message.at > visible_until:
            return error_answer(*UNKNOWN_SID)
        return json_answer(as_json(message))

    # Control

    async def _operate(self, request: web.BaseRequest, path: str) -> web.Response:
        if path == "/_control" and request.method == "POST":
            return await self._control(json.loads(await request.read()))
        if path == "/_receive" and request.method == "POST":
            return await self._receive(json.loads(await request.read()))
        if path == "/_messages":
            known = [each for each in self._messages.by_sid.values() if not each.is_inbound]
            return json_answer(
                {"messages": [{**ledger_fields(each), "status": each.status} for each in known]}
            )
        if path == "/_state":
            return json_answer(self._state())
        return json_answer({"error": "unknown path"}, status=404)

    async def _receive(self, raw: dict[str, Any]) -> web.Response:
        """Somebody texts the account's number. With a `webhook`, it is told of it, as Twilio would."""
        message = Message(
            account=self._account,
            to=raw["to"],
            sender=raw["from"],
            body=raw["body"],
            callback=None,
            service=None,
            n=0,
            is_inbound=True,
            pictures=raw.get("pictures", 0),
        )
        self._messages.add(message)
        if raw.get("webhook"):
            await self.callbacks.tell(message, raw["webhook"])
        return json_answer({"sid": message.sid})

    async def _control(self, raw: dict[str, Any]) -> web.Response:
        """All of it is parsed before any of it applies."""
        wants_reset = bool(raw.pop("reset", False))
        try:
            settings = changed(Settings() if wants_reset else self._settings, raw)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            return json_answer({"error": repr(error)}, status=400)
        if wants_reset:
            self._start_empty()
            self.callbacks.reset()
        self._settings = settings
        if wants_reset:
            await self._ledger.append({"event": "reset"})
        return json_answer(self._state())

    def _state(self) -> dict[str, Any]:
        return {
            **self._counts,
            "callbacks_delivered": self.callbacks.delivered,
            "callbacks_failed": self.callbacks.failed,
            "callbacks_pending": self.callbacks.pending,
            "callbacks_last_error": self.callbacks.last_error,
        }


def find_refusal(form: Form, opted_out: frozenset[str]) -> Refusal | None:
    """Twilio's own checks, in the order in which it makes them."""
    to = form.get("To")
    if not to:
        return 400, 21604, "A 'To' phone number is required."
    if not (form.get("From") or form.get("MessagingServiceSid")):
        return 400, 21603, "A 'From' phone number is required."
    if not form.get("Body"):
        return 400, 21602, "Message body is required."
    if to in BAD_NUMBERS:
        return 400, *BAD_NUMBERS[to]
    if to in opted_out:
        return 400, 21610, "Attempt to send to unsubscribed recipient"
    validity = form.get("ValidityPeriod", "1")
    if not (validity.isdecimal() and 1 <= int(validity) <= 36_000):
        return 400, 20001, "ValidityPeriod is out of range"
    return None


def ledger_fields(message: Message) -> dict[str, Any]:
    return {
        "sid": message.sid,
        "to": message.to,
        "from": message.sender,
        "service": message.service,
        "body": message.body,
        "callback": message.callback,
        "at": message.at,
        "n": message.n,
    }


def json_answer(content: dict[str, Any], *, status: int = 200) -> web.Response:
    body = json.dumps(content).encode()
    return web.Response(body=body, status=status, content_type="application/json")


def error_answer(status: int, code: int, words: str) -> web.Response:
    more = f"https://www.twilio.com/docs/errors/{code}"
    return json_answer({"code": code, "message": words, "more_info": more, "status": status}, status=status)
