"""What an app answers to a click or a command: on the acknowledgement itself, or later over response_url.

Not imitated: response URLs of modals (`response_url_enabled`), and legacy attachments' default of replacing.
"""

from dataclasses import replace

from bot.sandbox.local_slack.arguments import Arguments
from bot.sandbox.local_slack.content import Content, read_content
from bot.sandbox.local_slack.json_types import Json
from bot.sandbox.local_slack.messages import Draft, Message
from bot.sandbox.local_slack.refusals import Refused
from bot.sandbox.local_slack.response_urls import ResponseUrl
from bot.sandbox.local_slack.workspace import Workspace

KNOWN = frozenset({
    "text", "blocks", "attachments", "response_type", "replace_original", "delete_original", "thread_ts", "mrkdwn",
    "unfurl_links", "unfurl_media", "metadata",
})  # fmt: skip


class Answers:
    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    def say(self, to: ResponseUrl, answer: Json) -> None:
        """Post, replace or delete as the answer asks; raises Refused."""
        arguments = Arguments(answer)
        arguments.refuse_unknown(KNOWN)
        if arguments.flag("delete_original"):
            self._delete(self._original(to))
            return
        content = read_content(arguments)
        if content.says_nothing:
            raise Refused("no_text")
        if arguments.flag("replace_original"):
            self._replace(self._original(to), content)
            return
        draft = self._draft(to, content, arguments)
        response_type = arguments.text("response_type") or "ephemeral"
        if response_type == "in_channel":
            self.workspace.post(draft)
        elif response_type == "ephemeral":
            self.workspace.post_ephemeral(replace(draft, only_for=to.user))
        else:
            raise Refused("invalid_payload")

    def _draft(self, to: ResponseUrl, content: Content, arguments: Arguments) -> Draft:
        return Draft(
            channel=to.channel,
            text=content.text or "",
            user=self.workspace.app.bot_user,
            via_app=True,
            blocks=content.blocks or (),
            attachments=content.attachments or (),
            metadata=content.metadata or None,
            thread_ts=arguments.text("thread_ts") or to.thread_ts,
            mrkdwn=arguments.flag("mrkdwn", default=True),
        )

    def _original(self, to: ResponseUrl) -> Message:
        channel = self.workspace.channel(to.channel)
        kept = channel.ephemerals if to.is_ephemeral else channel.messages
        message = kept.get(to.message_ts or "")
        if message is None or message.is_tombstone:
            raise Refused("message_not_found")
        return message

    def _replace(self, message: Message, content: Content) -> None:
        def rewritten(draft: Draft) -> Draft:
            return replace(
                draft,
                text=content.text or "",
                blocks=content.blocks or (),
                attachments=content.attachments or (),
                metadata=draft.metadata if content.metadata is None else content.metadata or None,
            )

        if message.draft.only_for:
            self.workspace.edit_ephemeral(message, rewritten)
        else:
            by = None if content.blocks else self.workspace.app.bot_user
            self.workspace.edit(message, rewritten, by=by)

    def _delete(self, message: Message) -> None:
        if message.draft.only_for:
            self.workspace.delete_ephemeral(message)
        else:
            self.workspace.delete(message)
