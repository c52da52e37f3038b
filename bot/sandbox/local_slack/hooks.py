"""The addresses beside the Web API: response_url, and the bytes of files, in and out."""

import json
from http import HTTPStatus
from urllib.parse import quote

from aiohttp import BodyPartReader, web

from bot.sandbox.local_slack.answers import Answers
from bot.sandbox.local_slack.faults import Faults
from bot.sandbox.local_slack.json_types import Json
from bot.sandbox.local_slack.refusals import Refused
from bot.sandbox.local_slack.response_urls import ResponseUrls
from bot.sandbox.local_slack.state import State
from bot.sandbox.local_slack.web_api import FORM, bearer, drop, json_response, refuse_in_outage


class Hooks:
    def __init__(self, state: State, urls: ResponseUrls, answers: Answers, faults: Faults) -> None:
        self.state = state
        self.urls = urls
        self.answers = answers
        self.faults = faults

    async def respond(self, request: web.Request) -> web.StreamResponse:
        """/response/{token}: faults call it by the name "response_url"."""
        refuse_in_outage(self.faults, request)
        try:
            failure = self.faults.take_failure("response_url")
            if failure:
                raise failure.refusal()
            answer = await _answer_body(request)
            self.answers.say(self.urls.spend(request.match_info["token"]), answer)
        except Refused as refused:
            status = HTTPStatus.BAD_REQUEST if refused.status == HTTPStatus.OK else refused.status
            return json_response(refused.body(), status=status, headers=refused.headers)
        if self.faults.take_loss("response_url"):
            drop(request)
        return web.Response(text="ok")

    async def upload(self, request: web.Request) -> web.StreamResponse:
        """/files/upload/{ticket}: the bytes themselves, or a form with one file; faults call it "upload"."""
        refuse_in_outage(self.faults, request)
        try:
            failure = self.faults.take_failure("upload")
            if failure:
                raise failure.refusal()
            content = await _uploaded(request)
            self.state.uploads.receive(request.match_info["ticket"], content)
        except Refused as refused:
            return json_response(refused.body(), status=refused.status)
        return web.Response(text=f"OK - {len(content)}")

    async def download(self, request: web.Request) -> web.StreamResponse:
        """/files/{file}/{name}: url_private, with a token that may read files."""
        refuse_in_outage(self.faults, request)
        try:
            caller = self.state.tokens.caller(bearer(request))
            file = self.state.workspace.file(request.match_info["file"])
        except Refused as refused:
            status = HTTPStatus.NOT_FOUND if refused.error == "file_not_found" else HTTPStatus.FORBIDDEN
            return web.Response(status=status, text=refused.error)
        if "files:read" not in caller.scopes:
            return web.Response(status=HTTPStatus.FORBIDDEN, text="missing_scope")
        headers = {}
        if "download" in request.query:
            headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(file.name)}"
        return web.Response(body=file.content, content_type=file.mimetype, headers=headers)


async def _answer_body(request: web.Request) -> Json:
    """The JSON of an answer; as a body, or in a form's `payload` field."""
    text = await request.text()
    if request.content_type == FORM:
        text = str((await request.post()).get("payload", ""))
    try:
        answer = json.loads(text)
    except ValueError:
        raise Refused("invalid_payload") from None
    if not isinstance(answer, dict):
        raise Refused("invalid_payload")
    return answer


async def _uploaded(request: web.Request) -> bytes:
    if request.content_type != "multipart/form-data":
        return await _all(request)
    async for part in await request.multipart():
        if isinstance(part, BodyPartReader) and part.filename is not None:
            return bytes(await part.read())
    raise Refused("no_file_data", status=HTTPStatus.BAD_REQUEST)


async def _all(request: web.Request) -> bytes:
    """The whole body; the server's limit for other requests does not hold for files."""
    return b"".join([chunk async for chunk in request.content.iter_any()])
