"""A local Slack: Web API, Socket Mode and signed HTTP delivery, close enough for Slack's own clients.

    slack.py                    LocalSlack, the one door to all of it
    workspace.py                the state: users, groups, channels, messages, files (with entities, channels, messages)
    views.py, elements.py       modals and App Home; interactive elements
    web_api.py, methods/        /api/{method}: dispatch; one file for each family of methods
    rate_limits.py, faults.py   Slack's limits, and trouble on purpose
    people.py, forms.py         what people do: click, type, submit
    payloads.py, events.py      what the app is sent
    app_line.py                 how it is sent: socket_mode.py or http_delivery.py
    answers.py, hooks.py        what the app answers: acknowledgements, response_url, files

Each module says what it does not imitate; what it does not know is refused with Slack's own code.
"""

from bot.sandbox.local_slack.changes import Change, ChangeKind
from bot.sandbox.local_slack.elements import NotThere
from bot.sandbox.local_slack.faults import Outage
from bot.sandbox.local_slack.slack import LocalSlack, SlackOptions
from bot.sandbox.local_slack.tokens import ALL_BOT_SCOPES, BOT_SCOPES

__all__ = ["ALL_BOT_SCOPES", "BOT_SCOPES", "Change", "ChangeKind", "LocalSlack", "NotThere", "Outage", "SlackOptions"]
