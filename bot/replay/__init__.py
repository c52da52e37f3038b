"""What the bot would have posted: recorded log entries and events, through the whole pipeline, on their own clock.

    files ─► scan ─► reading ─► Recording ─┬─► states, readers ─► Deps ─► drive (looks, outbox) ─► Said ─► telling
                                           └─► inferred (a catalog, where none is given)

scan        bytes → JSON objects, wherever in a file they stand; what is broken is told with its line
reading     objects → what a recording holds, reduced early: a successful request is four numbers
recording   what was recorded, and what had arrived by when
audit       what an audit entry tells about a service beside the event in it: template, traffic split
traffic     shares of traffic as requests show them
states      what Cloud Run would have answered at each moment
readers     the rest of `bot.deps.Deps`, answered from the recording
inferred    a catalog from the entries' labels
drive       the clock: when the bot would have looked
said        the notifier that writes down
telling     what is printed

Everything behind `Deps` is the real thing: `Looker`, casebook, attribution, diagnosis, outbox, templates. Nothing here
knows the clock of this computer: the same files give the same bytes.
"""
