"""files.*: upload in three steps (address, bytes, completion), look, delete.

Not imitated: files.upload (which Slack has shut down), remote files, thumbnails, public links, snippets' syntax.
"""

from bot.sandbox.local_slack.channels import Channel
from bot.sandbox.local_slack.content import read_content
from bot.sandbox.local_slack.entities import SlackFile
from bot.sandbox.local_slack.json_types import Json
from bot.sandbox.local_slack.messages import Draft
from bot.sandbox.local_slack.method import Call, Method
from bot.sandbox.local_slack.rate_limits import Tier
from bot.sandbox.local_slack.refusals import Refused, invalid_arguments
from bot.sandbox.local_slack.uploads import Upload

LARGEST = 1_000_000_000


def upload_address(call: Call) -> Json:
    length = call.args.number("length", 0, most=LARGEST, error="invalid_arguments")
    if not length:
        raise Refused("missing_argument")
    upload = call.state.uploads.issue(
        user=call.caller.user,
        filename=call.args.required("filename"),
        length=length,
        alt_text=call.args.text("alt_txt"),
    )
    return {"upload_url": f"{call.state.base_url}/files/upload/{upload.ticket}", "file_id": upload.file_id}


def complete_upload(call: Call) -> Json:
    wanted = call.args.dicts("files", error="invalid_arguments")
    if not wanted:
        raise invalid_arguments("missing required field: files")
    channels = [_channel(call, each) for each in _channel_ids(call)]
    comment = call.args.text("initial_comment")
    blocks = () if comment else read_content(call.args).blocks or ()
    thread_ts = call.args.text("thread_ts") or None
    if thread_ts and any(thread_ts not in channel.messages for channel in channels):
        raise Refused("thread_not_found")
    titles = {str(each.get("id")): str(each.get("title") or "") for each in wanted}
    uploads = call.state.uploads.take(titles, user=call.caller.user)
    files = [_stored(call, upload, titles[upload.file_id]) for upload in uploads]
    for channel in channels:
        call.workspace.post(
            Draft(
                channel=channel.id,
                text=comment,
                user=call.caller.user,
                via_app=True,
                blocks=blocks,
                thread_ts=thread_ts,
                files=tuple(file.id for file in files),
            )
        )
    return {"files": [call.workspace.file(file.id).as_json() for file in files]}


def show(call: Call) -> Json:
    file = call.workspace.file(call.args.required("file"))
    return {"file": file.as_json(), "comments": [], "response_metadata": {"next_cursor": ""}}


def list_files(call: Call) -> Json:
    channel, user = call.args.text("channel"), call.args.text("user")
    files = [
        file
        for file in reversed(call.workspace.files.values())
        if (not channel or channel in file.channels) and (not user or file.user == user)
    ]
    count = call.args.number("count", 100, least=1, error="invalid_arguments")
    number = call.args.number("page", 1, least=1, most=1000, error="invalid_arguments")
    shown = files[(number - 1) * count : number * count]
    pages = -(-len(files) // count)
    return {
        "files": [file.as_json() for file in shown],
        "paging": {"count": count, "total": len(files), "page": number, "pages": pages},
    }


def delete(call: Call) -> Json:
    file = call.workspace.file(call.args.required("file"))
    if file.user != call.caller.user:
        raise Refused("cant_delete_file")
    call.workspace.delete_file(file.id)
    return {}


def _channel_ids(call: Call) -> list[str]:
    one = call.args.text("channel_id")
    return [one] if one else call.args.names("channels")


def _channel(call: Call, channel_id: str) -> Channel:
    if channel_id in call.workspace.users:
        return call.workspace.direct_with((call.caller.user, channel_id))
    channel = call.workspace.channel(channel_id)
    if not channel.is_open and call.caller.user not in channel.members:
        raise Refused("channel_not_found")
    if call.caller.user not in channel.members:
        raise Refused("not_in_channel")
    if channel.is_archived:
        raise Refused("is_archived")
    return channel


def _stored(call: Call, upload: Upload, title: str) -> SlackFile:
    file = SlackFile(
        id=upload.file_id,
        name=upload.filename,
        title=title or upload.filename,
        user=upload.user,
        created=call.workspace.now_seconds(),
        content=upload.content or b"",
        mimetype=upload.mimetype,
        filetype=upload.filetype,
        base_url=call.state.base_url,
        alt_text=upload.alt_text,
    )
    call.workspace.files[file.id] = file
    return file


READ, WRITE = "files:read", "files:write"
FAMILY = (
    Method(
        "files.getUploadURLExternal",
        upload_address,
        Tier.FOUR,
        takes="filename length alt_txt snippet_type",
        scopes=WRITE,
    ),
    Method(
        "files.completeUploadExternal",
        complete_upload,
        Tier.FOUR,
        takes="files channel_id channels initial_comment thread_ts blocks",
        scopes=WRITE,
    ),
    Method("files.info", show, Tier.FOUR, takes="file", scopes=READ),
    Method("files.list", list_files, Tier.THREE, takes="channel user count page", scopes=READ),
    Method("files.delete", delete, Tier.THREE, takes="file", scopes=WRITE),
)
