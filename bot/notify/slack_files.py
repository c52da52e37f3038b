"""Pictures into Slack, in Slack's three steps: an address, the bytes, the completion that shows them.

Nothing can be seen before the completion, so only its lost answer can lead to a second picture. A file carries no
metadata: it is found again by its name, which is unlike that of any other. What cannot be excluded: Slack completes
uploads in the background, so a search within a second or two of the loss may miss the picture; the outbox waits longer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import Permanent, Retryable
from bot.notify.notifier import ChannelClosed, Outgoing, Picture, Receipt
from bot.notify.slack_errors import FAILURES, Meaning, meaning, translated, within

_SHORTEST_S = 1.0


async def share(client: AsyncWebClient, outgoing: Outgoing, picture: Picture, timeout_s: float) -> Receipt:
    """Show the picture under the message's text, in the channel or in its thread.

    Args:
        timeout_s: of each of the three calls.

    Raises:
        Retryable, Permanent, MessageGone, ChannelClosed: as `bot.notify.notifier` says; without the scope, Permanent names it.
    """
    place = await _said(
        client.files_getUploadURLExternal(filename=picture.filename, length=len(picture.png), alt_txt=picture.alt_text),
        "files.getUploadURLExternal",
        timeout_s,
    )
    address, file_id = str(place.get("upload_url") or ""), str(place.get("file_id") or "")
    await _send(client, address, picture.png, timeout_s)
    await _said(
        client.files_completeUploadExternal(
            files=[{"id": file_id, "title": picture.title}],
            channel_id=outgoing.channel,
            thread_ts=outgoing.thread_ts,
            initial_comment=outgoing.message.text,
        ),
        "files.completeUploadExternal",
        timeout_s,
        outgoing.channel,
    )
    return Receipt(channel=outgoing.channel, ts=file_id)


def shows(message: Mapping[str, Any], picture: Picture) -> bool:
    """True when this message of Slack's carries the picture."""
    return any(file.get("name") == picture.filename for file in message.get("files") or ())


async def _said(call: Awaitable[Any], method: str, timeout_s: float, channel: str = "") -> Mapping[str, Any]:
    try:
        return await within(call, timeout_s)
    except FAILURES as error:
        why = translated(error, method, channel)
        if meaning(error) is Meaning.CHANNEL:
            raise ChannelClosed(str(why)) from error
        raise why from error


async def _send(client: AsyncWebClient, address: str, content: bytes, timeout_s: float) -> None:
    """The bytes to where Slack wants them. The address itself is the permission: the token does not go there."""
    if urlsplit(address).scheme not in {"https", urlsplit(client.base_url).scheme}:
        raise Permanent("Slack named no address that a picture can safely be sent to")
    timeout = aiohttp.ClientTimeout(total=max(timeout_s, _SHORTEST_S))
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(address, data=content, proxy=client.proxy, ssl=client.ssl or True) as answer,
        ):
            status = answer.status
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
        raise Retryable(f"Slack did not take the picture's bytes ({type(error).__name__})") from error
    if status != HTTPStatus.OK:
        raise Retryable(f"Slack did not take the picture's bytes (HTTP {status})")
