"""Files on their way in: an upload address, the bytes, and then the completion that shares them."""

import mimetypes
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace

from bot.sandbox.local_slack.ids import new_id
from bot.sandbox.local_slack.refusals import Refused

TEXT_TYPES = {"py": "python", "md": "markdown", "txt": "text", "json": "json", "log": "text", "yaml": "yaml"}


@dataclass(frozen=True, slots=True)
class Upload:
    file_id: str
    ticket: str
    user: str
    filename: str
    length: int
    alt_text: str
    content: bytes | None = None

    @property
    def mimetype(self) -> str:
        return mimetypes.guess_type(self.filename)[0] or "application/octet-stream"

    @property
    def filetype(self) -> str:
        ending = self.filename.rpartition(".")[2].lower() if "." in self.filename else "binary"
        return TEXT_TYPES.get(ending, ending)


class Uploads:
    def __init__(self) -> None:
        self._by_ticket: dict[str, Upload] = {}

    def issue(self, *, user: str, filename: str, length: int, alt_text: str) -> Upload:
        upload = Upload(new_id("F"), secrets.token_urlsafe(24), user, filename, length, alt_text)
        self._by_ticket[upload.ticket] = upload
        return upload

    def receive(self, ticket: str, content: bytes) -> Upload:
        upload = self._by_ticket.get(ticket)
        if upload is None:
            raise Refused("invalid_upload_ticket", status=404)
        if len(content) != upload.length:
            raise Refused("length_mismatch", status=400)
        received = replace(upload, content=content)
        self._by_ticket[ticket] = received
        return received

    def take(self, file_ids: Iterable[str], *, user: str) -> list[Upload]:
        """The finished uploads of these files, which cannot be completed again; all of them or none."""
        finished = {each.file_id: each for each in self._by_ticket.values() if each.content is not None}
        taken = [finished.get(file_id) for file_id in file_ids]
        uploads = [each for each in taken if each and each.user == user]
        if len(uploads) < len(taken):
            raise Refused("file_not_found")
        for upload in uploads:
            del self._by_ticket[upload.ticket]
        return uploads
