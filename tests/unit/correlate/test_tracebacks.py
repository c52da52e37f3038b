import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.correlate.tracebacks import LANGUAGES, find_traceback

PYTHON = """[ERROR] Exception on /login
Traceback (most recent call last):
  File "/usr/local/lib/python3.11/site-packages/flask/app.py", line 1463, in wsgi_app
    response = self.full_dispatch_request()
  File "/app/app/views.py", line 42, in login
    return tokens[user.id]
  File "/usr/local/lib/python3.11/collections/__init__.py", line 1, in __missing__
    raise KeyError(key)
KeyError: 'u-1'
"""


def test_the_culprit_is_our_frame_nearest_to_the_raise():
    found = find_traceback(PYTHON)

    assert found.headline == "KeyError: 'u-1'"
    assert str(found.culprit) == "app/views.py:42 in login"
    assert len(found.frames) == 3


def test_of_a_python_chain_the_exception_that_was_raised_last_counts():
    text = (
        PYTHON
        + "\nDuring handling of the above exception, another exception occurred:\n\n"
        + (
            'Traceback (most recent call last):\n  File "/app/app/api.py", line 7, in handle\n    raise Gone() from None\napp.errors.Gone: 410'
        )
    )

    found = find_traceback(text)

    assert found.exception == "app.errors.Gone"
    assert [str(f) for f in found.frames] == ["app/api.py:7 in handle"]


def test_of_a_java_chain_the_last_cause_counts():
    found = find_traceback(
        "jakarta.servlet.ServletException: failed\n\tat org.springframework.web.X.y(X.java:1)\n"
        'Caused by: java.lang.NullPointerException: Cannot invoke "User.id()"\n'
        "\tat com.acme.auth.Login.login(Login.java:57)\n\tat java.base/java.lang.Thread.run(Thread.java:1)\n\t... 5 more"
    )

    assert found.headline == 'java.lang.NullPointerException: Cannot invoke "User.id()"'
    assert str(found.culprit) == "Login.java:57 in Login.login"


def test_node_names_our_first_frame():
    found = find_traceback(
        "TypeError: x is not a function\n    at run (/app/node_modules/p/i.js:1:1)\n    at async login (file:///app/src/login.js:17:22)\n"
        "    at node:internal/main:1:1"
    )

    assert (found.language, str(found.culprit)) == ("node", "src/login.js:17 in login")


def test_go_names_method_and_file():
    found = find_traceback(
        "panic: boom\n\ngoroutine 1 [running]:\nmain.(*server).login(0xc0000b2000, {0x7a2f40})\n\t/app/cmd/login.go:33 +0x1a5\n"
        "net/http.HandlerFunc.ServeHTTP(0xc0)\n\t/usr/local/go/src/net/http/server.go:2136 +0x29"
    )

    assert str(found.culprit) == "cmd/login.go:33 in main.(*server).login"


def test_an_exception_only_in_libraries_has_no_culprit():
    found = find_traceback(PYTHON.replace("/app/app/views.py", "/app/.venv/lib/python3.11/site-packages/x.py"))

    assert found.culprit is None


@pytest.mark.parametrize(
    "text", ["", 'File "', "    at noon", "Error: x", "goroutine 1", "Traceback (most recent call last):"]
)
def test_what_only_resembles_a_traceback_is_none(text):
    assert find_traceback(text) is None


CASES = Path(__file__).parents[2] / "cases" / "fingerprints"


def first_of(case, group=0):
    return json.loads((CASES / f"{case}.json").read_text(encoding="utf-8"))["groups"][group][0]


@pytest.mark.parametrize(
    ("case", "group", "headline", "culprit"),
    [
        ("dotnet", 0, "Npgsql.NpgsqlException: Failed", "Acme.Data/Db.cs:31 in Acme.Data.Db.<OpenAsync>d__5.MoveNext"),
        ("ruby", 0, "Pay::Declined: declined 17", "lib/pay.rb:12 in Pay#charge"),
        ("ruby", 2, "ZeroDivisionError: divided by 0", "main.rb:1 in bar"),
        ("ruby", 3, "ActiveRecord::RecordNotFound: Couldn't", "app/controllers/users_controller.rb:12 in show"),
        ("php", 0, "TypeError: App\\Pay::charge(): Argument #1", "src/Pay.php:12"),
        ("php", 2, "RuntimeException: boom", "src/Job.php:12"),
        ("go", 0, "panic: runtime error: invalid memory", "cmd/login.go:33 in main.(*server).login.func2"),
        ("go", 2, "error: user 17 not found", "store.go:12 in main.find"),
        ("node", 0, "TypeError: fetch failed", "dist/pay.js:7 in pay"),
        ("java", 2, "java.net.ConnectException: Connection refused", "Shop.kt:12 in Shop$Companion.buy$lambda$3"),
        ("python_groups", 0, "ValueError: 1", "main.py:3 in work"),
        ("python_groups", 2, "SyntaxError: invalid syntax", "views.py:3"),
    ],
)
def test_each_language_tells_its_root_cause_and_our_frame(case, group, headline, culprit):
    found = find_traceback(first_of(case, group))

    assert found.headline.startswith(headline)
    assert str(found.culprit) == culprit


@pytest.mark.parametrize(
    ("text", "headline", "culprit"),
    [
        ("ERROR [w-1] failed: TypeError: x\n    at f (/app/src/a.js:10:5)", "TypeError: x", "src/a.js:10 in f"),
        (r"ERROR failed: TypeError: x\n    at f (/app/src/a.js:10:5)", "TypeError: x", "src/a.js:10 in f"),
        (r'msg="Traceback:\n  File \"/app/a.py\", line 3, in f\n    x()\nKeyError: 1"', "KeyError: 1", "a.py:3 in f"),
        (r'err="a.B: no\n\tat com.acme.A.b(A.java:10)"', "a.B: no", "A.java:10 in A.b"),
        (
            "job 7: panic: boom\n\ngoroutine 1 [running]:\nmain.f(0x1)\n\t/app/m.go:3 +0x1",
            "panic: boom",
            "m.go:3 in main.f",
        ),
        ("fail: A.NoException: x\n   at Acme.A.B() in /src/A.cs:line 3", "A.NoException: x", "A.cs:3 in Acme.A.B"),
    ],
)
def test_a_traceback_is_recognised_behind_other_words_and_on_one_line(text, headline, culprit):
    found = find_traceback(text)

    assert found.headline == headline
    assert str(found.culprit) == culprit


def test_every_language_file_is_in_the_list():
    folder = Path(__file__).parents[3] / "bot" / "correlate" / "tracebacks"

    assert {p.stem for p in folder.glob("*.py")} - {"__init__", "language"} == {language.name for language in LANGUAGES}


FRAGMENTS = st.sampled_from(
    [
        "\n", " ", "    at ", "\tat ", "   at ", 'File "', '", line 1', ":in `", ":in 'x'", "#0 ", "x.go:1", "goroutine 1 [running]:",
        "(a.js:1:2)", "(A.java:1)", " in /a.cs:line 3", "Caused by: ", " ---> ", "panic: ", "Error: x", "a.B", "(T)", "/a.php(1): f()", "é", "\ud800",
    ]
)  # fmt: skip


@given(st.lists(FRAGMENTS, max_size=40).map("".join))
def test_no_text_breaks_the_reading_of_tracebacks(text):
    found = find_traceback(text)

    assert found is None or found.frames


HOSTILE = [
    "\n    at a(" * 8_000,
    "\n\tat a.b(" * 8_000,
    "\n#0 /a(1): " * 6_000,
    "\na.go:1" * 9_000,
    "a:in `b': " * 6_000,
    "\n   at a.b(c) in " * 5_000,
    "    at x:1:2\n" + " a.b" * 15_000,
    "    at x:1:2\n " + "a." * 30_000,
    "    at x:1:2\n" + "=aError" * 9_000,
    "\\n    at a(" * 6_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:12]))
def test_a_hostile_text_costs_little(text):
    started = time.process_time()

    find_traceback(text[:64_000])

    assert time.process_time() - started < 2


RUST = """thread 'tokio-runtime-worker' panicked at src/login.rs:42:10:
index out of bounds: the len is 3 but the index is 3
stack backtrace:
   0: rust_begin_unwind
             at /rustc/0123/library/std/src/panicking.rs:645:5
   1: core::panicking::panic_fmt
             at /rustc/0123/library/core/src/panicking.rs:72:14
   2: auth::login::find::h0123456789abcdef
             at ./src/login.rs:42:10
note: Some details are omitted
"""


def test_a_rust_panic_tells_its_place_and_what_it_says():
    found = find_traceback(RUST)
    bare = find_traceback("\n".join(RUST.splitlines()[:2]))

    assert (found.language, found.said) == ("rust", "index out of bounds: the len is 3 but the index is 3")
    assert str(found.culprit) == "src/login.rs:42"
    assert str(bare.culprit) == "src/login.rs:42"


def test_a_rust_panic_of_the_older_form_is_read_too():
    found = find_traceback(
        "thread 'main' panicked at 'no DATABASE_URL', src/main.rs:4:5\nnote: run with RUST_BACKTRACE=1"
    )

    assert (found.said, str(found.culprit)) == ("no DATABASE_URL", "src/main.rs:4")
