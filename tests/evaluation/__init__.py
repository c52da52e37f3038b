"""The evaluation of attribution: a simulated fleet, things that go wrong in it, the truth, and how often it is told.

    python -m tests.evaluation                        every scenario, 200 seeds each; exit code 1 when a goal is missed
    python -m tests.evaluation record SCENARIO SEED   one episode as JSON lines, for `reliability judge`

words, tracebacks  what the services say          fleet      services, calls, dependencies, dialects of logging
faults, world      what goes wrong, the physics   stage      what scenarios are written with; an episode is drawn
scenarios          what happens, and the truth    baselines  what others do
score              how answers are judged         report     runs, tables

Definitions. An *episode* is about half an hour of one fleet with one scenario. The *truth* is one cause; if it is a
revision, also its service and name, and the true time of its first error, wherever that error was logged. All other
revisions are *innocent*. The answerer gets the signals in the order of arrival and a tick every ten seconds.

- A *blame* is an answer with cause `revision` that is not a withdrawal. The first of an episode counts: it is *right* if
  it names the guilty revision and does not come before its first error.
- *precision*: right blames / episodes with a blame. *recall*: right blames / episodes with a guilty revision.
- *innocent*: different innocent revisions blamed at any time in an episode, the mean over episodes.
- *time to detect*: from the first guilty error (true time) to the tick of the blame, over right blames.
- *cause accuracy*: share of episodes whose first cause said, `none` aside, is the true one; silence is `none`.

Everything is drawn from the scenario's name and the seed with `random.Random` on strings: the same on every machine.
An episode whose cause chance left invisible (fewer than half a dozen of its entries) is drawn again from the next
sub-seed: no one could be right about it. The engine is told nothing beforehand, neither the call graph nor `depends_on`.
"""
