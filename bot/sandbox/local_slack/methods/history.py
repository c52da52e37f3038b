"""conversations.history and conversations.replies: what was said, newest first; a thread, oldest first.

Not imitated: the limits of history calls for commercially distributed apps, and messages hidden by a free plan.
"""

from collections.abc import Callable, Sequence
from typing import Final

from bot.sandbox.local_slack.json_types import Json
from bot.sandbox.local_slack.messages import Message
from bot.sandbox.local_slack.method import Call, Method
from bot.sandbox.local_slack.methods.lookups import HISTORY_SCOPES, readable_channel
from bot.sandbox.local_slack.paging import page_by_ts
from bot.sandbox.local_slack.rate_limits import Tier
from bot.sandbox.local_slack.refusals import Refused

MOST: Final = 999  # 1000 for replies


def history(call: Call) -> Json:
    channel = readable_channel(call)
    in_window = _window(call)
    messages = [each for each in channel.messages.values() if each.in_channel and in_window(each)]
    shown, next_cursor = page_by_ts(messages[::-1], call.args, newest_first=True, default=100, most=MOST)
    nothing = {"pin_count": 0, "channel_actions_ts": None, "channel_actions_count": 0}
    return _answer(call, shown, next_cursor) | nothing


def replies(call: Call) -> Json:
    channel = readable_channel(call)
    asked = channel.messages.get(call.args.required("ts"))
    if asked is None:
        raise Refused("thread_not_found")
    root = asked.draft.thread_ts or asked.ts
    in_window = _window(call)
    thread = [each for each in channel.replies(root) if in_window(each)]
    parent = channel.messages.get(root)
    whole = [parent, *thread] if parent else thread
    shown, next_cursor = page_by_ts(whole, call.args, newest_first=False, default=MOST + 1, most=MOST + 1)
    return _answer(call, shown, next_cursor)


def _window(call: Call) -> Callable[[Message], bool]:
    """Whether a message is between `oldest` and `latest`, the ends counting only if `inclusive`."""
    try:
        oldest = float(call.args.text("oldest") or 0)
    except ValueError:
        raise Refused("invalid_ts_oldest") from None
    try:
        latest = float(call.args.text("latest") or "inf")
    except ValueError:
        raise Refused("invalid_ts_latest") from None
    inclusive = call.args.flag("inclusive")

    def within(message: Message) -> bool:
        moment = float(message.ts)
        return oldest <= moment <= latest if inclusive else oldest < moment < latest

    return within


def _answer(call: Call, shown: Sequence[Message], next_cursor: str) -> Json:
    with_metadata = call.args.flag("include_all_metadata")
    answer: Json = {
        "messages": [call.workspace.message_json(each, with_metadata=with_metadata) for each in shown],
        "has_more": bool(next_cursor),
    }
    return answer | ({"response_metadata": {"next_cursor": next_cursor}} if next_cursor else {})


WINDOW = "channel oldest latest inclusive limit cursor include_all_metadata"
FAMILY = (
    Method("conversations.history", history, Tier.THREE, takes=WINDOW, scopes=HISTORY_SCOPES),
    Method("conversations.replies", replies, Tier.THREE, takes=f"{WINDOW} ts", scopes=HISTORY_SCOPES),
)
