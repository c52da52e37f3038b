"""What the bot says and how it gets there.

notifier.py    the contract: Outgoing in, Receipt out, only Retryable or Permanent raised
slack.py       the real one; slack_errors.py says what each of Slack's refusals means
slack_files.py how a picture gets into Slack
console.py     the one that needs nothing: a terminal
message.py     text and blocks; plain.py the same without blocks
render.py      template + context → Message; safe.py makes every printed value harmless
limits.py      what Slack takes: cuts texts, drops the least important blocks, says so
card.py        incident → what its card shows (failing.py, cause.py, impact.py, rollback.py, buttons.py: its parts)
presenters.py  which other templates are worded first: notes, the quiet line, `/reliability status` (status.py)
charts.py      errors per minute as a picture; chart_words.py the same in words; drawing.py the process that draws
words.py       numbers, money, durations, names in a reader's words
directory.py   who is in a user group
"""
