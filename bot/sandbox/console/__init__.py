"""The web console on `/`: a Slack channel to look at and press, with the scenarios and the local Cloud Run beside it.

Its HTTP interface serves the page and end-to-end tests alike; JSON in, JSON out. `user` is always a user id
(whose click, whose command). A refusal is `{"error": …, "hint": …}` with a 4xx status; 403 comes from the guard.

    GET  /                                the page
    GET  /console/static/{file}           its scripts and styles
    GET  /console/state                   everything: {position, team, people, users, groups, commands, channels
                                          (with messages and ephemerals), views, cloud, scenarios, bot}
    GET  /console/stream?after=POSITION   server-sent events from that position on:
                                            slack      {kind, channel, user, body}, one change of the local Slack
                                            cloud, scenarios, bot    the whole new value
                                            reset      what came after POSITION is not kept: read the state again
    GET  /console/files/{id}              a file uploaded to the local Slack
    POST /console/click                   {user, channel, message_ts, action_id, block_id?, choice?}, or in a modal
                                          {user, view_id, action_id, block_id?, choice?, values?}
                                          block_id may be left out when action_id is the only one of that name;
                                          choice: an option's value, a user id, a date …, or an entry of state.values.
                                          Answers {} when the app has answered, or failed to (then a `notice` follows)
    POST /console/slash                   {user, channel, command, text}
    POST /console/say                     {user, channel, text, thread_ts?} → {ts}; text as typed
    POST /console/view/submit             {user, view_id, values} → {outcome, errors: {block_id: text}}; outcome is
                                          closed, errors, updated, pushed, cleared or failed
    POST /console/view/close              {user, view_id}
    GET  /console/scenarios               {playing, list: [{name, title, story, state, lines: [{at, text}], error?}]}
    POST /console/scenarios/{name}/play   {user}; 404 for an unknown name, 409 while another one plays
    POST /console/bot/restart             {user}; 409 unless the bot is down

Not imitated of Slack's own page: search, uploads, editing one's messages, reactions by pressing, huddles, App Home.
"""

from bot.sandbox.console.server import Console

__all__ = ["Console"]
