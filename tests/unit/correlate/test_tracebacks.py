import pytest

from bot.correlate.tracebacks import find_traceback

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
