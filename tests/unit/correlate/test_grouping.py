import json
import random
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.correlate import fingerprint, group
from bot.correlate.grouping import MAX_GROUPS, OTHER
from bot.correlate.reassembly import reassemble
from bot.model.evidence import LogEntry, LogKind

T0 = datetime(2025, 9, 15, 14, 3, 11, tzinfo=UTC)
TRACEBACK = """Traceback (most recent call last):
  File "/app/app/views.py", line 42, in login
    return tokens[user.id]
           ~~~~~~^^^^^^^^^
KeyError: 'u-1'"""
CHAINED = f"""{TRACEBACK}

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/app/app/views.py", line 50, in login
    raise Unauthorized
app.errors.Unauthorized"""
NODE = """Error: no such user
    at login (/app/src/login.js:17:22)
    at next (/app/node_modules/express/lib/router/route.js:149:13)"""
JAVA = """java.lang.IllegalStateException: no tenant
\tat com.acme.Tenants.find(Tenants.java:31)
Caused by: java.sql.SQLException: gone
\tat com.acme.Db.query(Db.java:9)
\t... 12 more"""
GO = """panic: assignment to entry in nil map

goroutine 18 [running]:
main.(*server).login(0xc0000b2000)
\t/app/cmd/login.go:33 +0x1a5
exit status 2"""


def entry(text, at=0.0, **more):
    more.setdefault("log", LogKind.STDERR)
    return LogEntry(insert_id=more.pop("insert_id", ""), at=T0 + timedelta(seconds=at), revision="r", text=text, **more)


def split(text, start=0.0, **more):
    return [entry(line, start + i / 1000, **more) for i, line in enumerate(text.split("\n"))]


@pytest.mark.parametrize("text", [TRACEBACK, CHAINED, NODE, JAVA, GO], ids=["python", "chained", "node", "java", "go"])
def test_a_traceback_logged_line_by_line_is_one_entry_again(text):
    before, after = entry("ready", -1), entry("next request", 1)

    joined = reassemble([before, *split(text), after])

    assert [e.text for e in joined] == ["ready", text, "next request"]


def recorded(case, group):
    path = Path(__file__).parents[2] / "cases" / "fingerprints" / f"{case}.json"
    return json.loads(path.read_text(encoding="utf-8"))["groups"][group][0]


LANGUAGES = [
    ("dotnet", 0),
    ("ruby", 0),
    ("ruby", 2),
    ("ruby", 3),
    ("php", 0),
    ("php", 2),
    ("go", 0),
    ("go", 2),
    ("node", 0),
    ("java", 0),
    ("python_groups", 0),
    ("python_groups", 2),
]


@pytest.mark.parametrize(("case", "number"), LANGUAGES)
def test_lines_of_any_language_are_one_error_again_between_other_lines_and_instances(case, number):
    text = recorded(case, number)
    one, two = split(text, instance="a"), split(text, instance="b")
    woven = [line for pair in zip(one, two, strict=True) for line in pair]
    around = [entry("ready", -1, instance="a"), entry("next request", 1, instance="a")]

    joined = [e for e in reassemble([*woven, *around]) if e.text not in {"ready", "next request"}]

    assert fingerprint(text) in {fingerprint(e.text) for e in joined if e.instance == "a"}
    assert [e.text for e in joined if e.instance == "a"] == [e.text for e in joined if e.instance == "b"]
    assert len([e for e in joined if e.instance == "a" and "\n" in e.text]) == 1


def test_interleaved_tracebacks_of_two_instances_are_told_apart():
    one, two = split(TRACEBACK, instance="a"), split(TRACEBACK.replace("KeyError", "ValueError"), instance="b")
    woven = [line for pair in zip(one, two, strict=True) for line in pair]

    assert sorted(e.text[-15:] for e in reassemble(woven)) == sorted(
        [TRACEBACK[-15:], TRACEBACK.replace("KeyError", "ValueError")[-15:]]
    )


def test_two_tracebacks_in_a_row_stay_two():
    joined = reassemble(split(TRACEBACK) + split(TRACEBACK, start=0.5))

    assert [e.text for e in joined] == [TRACEBACK, TRACEBACK]


def test_the_loggers_own_line_stays_with_its_traceback():
    lines = split(f"[2025-09-15 14:03:11 +0000] [7] [ERROR] Exception in worker process\n{TRACEBACK}")

    (joined,) = reassemble(lines)

    assert joined.text.endswith("KeyError: 'u-1'")
    assert joined.text.startswith("[2025")


def test_indented_lines_long_after_are_not_joined():
    joined = reassemble([entry(NODE.split("\n", maxsplit=1)[0]), *split("\n".join(NODE.split("\n")[1:]), start=60)])

    assert joined[0].text == "Error: no such user"


def test_plain_lines_are_never_joined():
    texts = ["starting", "ready", "  indented note", "done"]

    assert [e.text for e in reassemble([entry(t, i) for i, t in enumerate(texts)])] == texts


def test_duplicates_by_insert_id_count_once():
    twice = [entry("ERROR boom", insert_id="a"), entry("ERROR boom", insert_id="a"), entry("ERROR boom", insert_id="b")]

    (found,) = group(twice)

    assert found.count == 2


def test_newest_first_input_gives_the_same_groups():
    entries = [*split(TRACEBACK), *split(NODE, start=5), entry("ERROR x", 9)]

    assert group(reversed(entries)) == group(entries)


def test_lines_of_one_instant_keep_their_order_also_when_they_come_newest_first():
    lines = [entry("ready", -1), *(entry(line, 0) for line in TRACEBACK.split("\n"))]

    assert [e.text for e in reassemble(lines)] == ["ready", TRACEBACK]
    assert [e.text for e in reassemble(reversed(lines))] == ["ready", TRACEBACK]


def test_the_same_error_is_one_group_with_count_times_and_first_sample():
    entries = [entry(f"ERROR order {i} failed", i) for i in range(5)]

    (found,) = group(entries)

    assert found.count == 5
    assert (found.first_seen, found.last_seen) == (T0, T0 + timedelta(seconds=4))
    assert found.sample == "ERROR order 0 failed"
    assert found.fingerprint == fingerprint("ERROR order 77 failed")


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ("Starting new instance. Reason: AUTOSCALING", {"log": LogKind.SYSTEM, "severity": 200}),
        (
            'Default STARTUP TCP probe succeeded after 1 attempt for container "x" on port 8080.',
            {"log": LogKind.SYSTEM, "severity": 200},
        ),
        ("/app/m.py:3: DeprecationWarning: datetime.utcnow() is deprecated", {}),
        ("WARNING:root:Sentry SDK not installed", {}),
        ("[2025-09-15 14:03:10 +0000] [1] [INFO] Listening at: http://0.0.0.0:8080 (1)", {}),
        ("Container terminated on signal 15.", {"log": LogKind.SYSTEM, "severity": 400}),
        ("cache ERROR budget is fine", {"severity": 200}),
        ("", {"log": LogKind.REQUESTS, "status": 404, "severity": 400}),
        ("", {"log": LogKind.REQUESTS, "status": 200}),
        ("Refused: somebody else deployed", {"log": LogKind.ACTIVITY, "severity": 500}),
    ],
)
def test_chatter_is_no_error_group(text, more):
    assert group([entry(text, **more)]) == ()


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ("boom", {"severity": 500}),
        ("Container called exit(3).", {"log": LogKind.SYSTEM, "severity": 400}),
        ("Uncaught signal: 11, pid=1, tid=1, fault_addr=0.", {"log": LogKind.SYSTEM, "severity": 500}),
        ("Memory limit of 512 MiB exceeded with 515 MiB used.", {"log": LogKind.SYSTEM, "severity": 500}),
        ("ValueError: bad", {}),
        ("app.errors.PaymentError: declined", {}),
        ("2025-09-15 14:03:11 ERROR cannot charge", {}),
        ("[CRITICAL] WORKER TIMEOUT (pid:7)", {}),
        ("panic: nil map", {}),
        ('{"level":"error","msg":"x"}'.replace('"level":"error"', "level=error"), {}),
        ("", {"log": LogKind.REQUESTS, "status": 503, "severity": 500}),
    ],
)
def test_what_speaks_of_an_error_is_a_group_whatever_its_severity(text, more):
    assert len(group([entry(text, **more)])) == 1


def test_consequences_of_an_error_are_echoes_and_come_last():
    entries = [
        *split(TRACEBACK.replace("KeyError: 'u-1'", "ModuleNotFoundError: No module named 'app.x'")),
        entry("[ERROR] Worker (pid:7) exited with code 3", 1),
        entry("Container called exit(3).", 2, log=LogKind.SYSTEM, severity=400),
        *(entry("", 3 + i, log=LogKind.REQUESTS, status=503, severity=500) for i in range(50)),
    ]

    groups = group(entries)

    assert [g.is_echo for g in groups] == [False, True, True, True]
    assert groups[0].title.startswith("ModuleNotFoundError")
    assert groups[1].count == 50


def test_without_a_cause_the_nearest_consequence_is_not_an_echo():
    entries = [
        entry("Container called exit(1).", 0, log=LogKind.SYSTEM, severity=400),
        entry("", 1, log=LogKind.REQUESTS, status=503),
    ]

    assert [g.is_echo for g in group(entries)] == [False, True]


def test_an_error_that_began_long_after_explains_nothing_before_it():
    entries = [entry("", 0, log=LogKind.REQUESTS, status=500), entry("ValueError: late", 600)]

    assert [g.is_echo for g in group(entries)] == [False, False]


def test_500_and_503_are_different_groups():
    entries = [entry("", 0, log=LogKind.REQUESTS, status=500), entry("", 1, log=LogKind.REQUESTS, status=503)]

    assert len(group(entries)) == 2


def test_a_flood_of_different_errors_is_bounded_and_counted():
    words = [f"{a}{b}{c}" for a in "abcdefghijklmnop" for b in "abcdefghijklmnop" for c in "abcdefghijklmnop"][:3000]
    entries = [entry(f"ERROR {w}", i / 1000) for i, w in enumerate(words)] + [
        entry("ERROR the usual", 5) for _ in range(100)
    ]

    groups = group(entries)

    assert len(groups) == MAX_GROUPS
    assert sum(g.count for g in groups) == 3100
    other = groups[-1]
    assert (other.fingerprint, other.title) == (OTHER, "other errors")
    assert other.first_seen <= other.last_seen


def test_the_title_is_redacted_short_and_one_line():
    (found,) = group([entry("ERROR login with password=hunter2 " + "x" * 100_000 + "\nsecond line")])

    assert "hunter2" not in found.title
    assert "\n" not in found.title
    assert len(found.title) <= 200


def test_hostile_text_is_only_data():
    texts = [
        "ERROR <!channel> `x` *y* \x00 \ud800",
        "ERROR " + "\\" * 1000,
        "Traceback (most recent call last):",
        "\n\n\n",
        'File "',
    ]

    assert len(group([entry(t, i * 10, severity=500) for i, t in enumerate(texts)])) >= 4


def test_nothing_gives_nothing():
    assert group([]) == ()


def test_ten_thousand_entries_take_seconds_at_most():
    rng = random.Random(1)
    entries = [
        entry(f"ERROR order {rng.random()} of user{i} failed in /srv/{i}/x.py", i / 1000, instance=str(i % 5))
        for i in range(10_000)
    ]
    started = time.perf_counter()

    groups = group(entries)

    assert len(groups) == 1
    assert time.perf_counter() - started < 10


def test_a_burst_of_100_000_distinct_lines_is_counted_exactly_and_soon():
    entries = [entry(f"ERROR order {i} failed in zone {i % 3}", i / 1000, insert_id=str(i)) for i in range(100_000)]
    started = time.process_time()

    (found,) = group(entries)

    assert found.count == 100_000
    assert (found.first_seen, found.last_seen) == (entries[0].at, entries[-1].at)
    assert time.process_time() - started < 12
