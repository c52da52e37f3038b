"""Dumps for `reliability replay`, as a recorded service would have written them. The same call gives the same entries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

START = datetime(2025, 9, 15, 14, 0, tzinfo=UTC)
PROJECT, REGION = "acme-staging", "us-central1"
NOT_LISTENING = (
    "The user-provided container failed to start and listen on the port defined provided by the PORT=8080 environment "
    "variable within the allocated timeout. This can happen when the container port is misconfigured or if the timeout is too short."
)
MALFORMED = (
    "The request failed because either the HTTP response was malformed or connection to the instance had an error."
)
REFUSED = 'psycopg.OperationalError: connection to server at "10.1.2.3", port 5432 failed: Connection refused'
TRACEBACK = (
    "Traceback (most recent call last):",
    '  File "/app/app/main.py", line 12, in <module>',
    "    from app.services.monitoring import track",
    "ModuleNotFoundError: No module named 'app.services.monitoring'",
)

Entry = dict[str, Any]


class Dump:
    """Entries in the order of their writing; moments are seconds after `START`."""

    def __init__(self, service: str = "auth-service") -> None:
        self.service = service
        self.entries: list[Entry] = []
        self._number = count(1)

    def at(self, seconds: float) -> str:
        return (START + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def log(self, seconds: float, log: str, revision: str, **rest: Any) -> None:
        labels = {
            "project_id": PROJECT,
            "location": REGION,
            "service_name": self.service,
            "revision_name": revision,
            "configuration_name": self.service,
        }
        self.entries.append(
            {
                "insertId": f"{self.service[:4]}{next(self._number):08d}",
                "logName": f"projects/{PROJECT}/logs/{log.replace('/', '%2F')}",
                "resource": {"type": "cloud_run_revision", "labels": labels},
                "timestamp": self.at(seconds),
                "receiveTimestamp": self.at(seconds + 0.3),
                **rest,
            }
        )

    def request(self, seconds: float, revision: str, status: int = 200, text: str = "", trace: str = "") -> None:
        severity = "ERROR" if status >= 500 else "WARNING" if status >= 400 else "INFO"
        request = {
            "requestMethod": "POST",
            "requestUrl": f"https://{self.service}-abc.a.run.app/login",
            "status": status,
            "latency": "0.021s",
        }
        rest: Entry = {"severity": severity, "httpRequest": request}
        if text:
            rest["textPayload"] = text
        if trace:
            rest["trace"] = f"projects/{PROJECT}/traces/{trace}"
        self.log(seconds, "run.googleapis.com/requests", revision, **rest)

    def traffic(
        self, begin: float, end: float, revision: str, *, every: float = 1.0, failing: float = 0.0, text: str = ""
    ) -> None:
        """Requests at an even pace; of every hundred, `failing` × 100 are answered with 503."""
        for number in range(int((end - begin) / every)):
            bad = (number * 37) % 100 < failing * 100
            self.request(begin + number * every, revision, 503 if bad else 200, text if bad else "")

    def stderr(self, seconds: float, revision: str, *lines: str, severity: str = "") -> None:
        for number, line in enumerate(lines):
            rest = {"severity": severity} if severity else {}
            self.log(seconds + number / 1000, "run.googleapis.com/stderr", revision, textPayload=line, **rest)

    def system(self, seconds: float, revision: str, text: str, severity: str = "INFO") -> None:
        self.log(seconds, "run.googleapis.com/varlog/system", revision, textPayload=text, severity=severity)

    def asked(self, seconds: float, before: str, by: str = "dana@acme.example") -> None:
        """`gcloud run deploy` was accepted; the service was served by `before`."""
        status = {"latestReadyRevisionName": before, "traffic": [{"revisionName": before, "percent": 100}]}
        payload = {
            "methodName": "google.cloud.run.v1.Services.ReplaceService",
            "resourceName": f"namespaces/{PROJECT}/services/{self.service}",
            "authenticationInfo": {"principalEmail": by},
            "request": {"service": {"spec": {"traffic": [{"latestRevision": True, "percent": 100}]}}},
            "response": {"kind": "Service", "spec": {}, "status": status if before else {}},
        }
        self.log(seconds, "cloudaudit.googleapis.com/activity", "", severity="NOTICE", protoPayload=payload)

    def settled(self, seconds: float, revision: str, message: str = "") -> None:
        """Cloud Run says that a revision is ready, or with a message that it is not."""
        ready = {"type": "Ready", "status": "False" if message else "True"} | ({"message": message} if message else {})
        said = f"Ready condition status changed to {not message} for Revision {revision}"
        payload = {
            "methodName": "/Services.ReplaceService",
            "resourceName": f"namespaces/{PROJECT}/revisions/{revision}",
            "status": {"message": f"{said} with message: {message}" if message else f"{said}."}
            | ({"code": 9} if message else {}),
            "response": {
                "kind": "Revision",
                "metadata": {"creationTimestamp": self.at(seconds - 8)[:19] + "Z"},
                "spec": {"containers": [{"image": f"us-docker.pkg.dev/{PROJECT}/app/{revision}", "ports": [{"containerPort": 8080}]}]},
                "status": {"conditions": [ready]},
            },
        }  # fmt: skip
        self.log(
            seconds, "cloudaudit.googleapis.com/system_event", revision,
            severity="ERROR" if message else "INFO", protoPayload=payload,
        )  # fmt: skip


def bad_release(*, audit: bool = True) -> list[Entry]:
    """A module is missing from the image: workers exit, the platform answers 503; after three minutes it is put back."""
    dump, old, new = Dump(), "auth-service-00281-kzq", "auth-service-00283-qab"
    dump.traffic(0, 300, old, every=2)
    if audit:
        dump.asked(290, old)
        dump.settled(300, new)
    dump.system(296, new, "Starting new instance. Reason: DEPLOYMENT_ROLLOUT - Instance started due to deployment.")
    for second in range(302, 480, 20):
        dump.stderr(second, new, *TRACEBACK)
        dump.system(second + 1, new, "Container called exit(3).", "WARNING")
    dump.traffic(301, 480, new, every=2, failing=0.97, text=MALFORMED)
    dump.traffic(481, 720, old, every=2)
    return dump.entries


def canary() -> list[Entry]:
    """A tenth of the traffic goes to a revision that fails half of it; only requests and log lines tell so."""
    dump, old, new = Dump(), "auth-service-00281-kzq", "auth-service-00282-bad"
    for number in range(2250):
        second = number * 0.4
        is_new = second >= 300 and number % 10 == 3
        failed = is_new and number % 20 == 3
        dump.request(second, new if is_new else old, 500 if failed else 200)
        if failed:
            dump.stderr(second + 0.01, new, "ERROR: KeyError: 'plan'", severity="ERROR")
    return dump.entries


def port_mismatch() -> list[Entry]:
    """It binds 8081, the platform waits at 8080: audit entries alone, as a narrow filter leaves them."""
    dump = Dump()
    for number, seconds in enumerate((60, 400)):
        dump.asked(seconds, "auth-service-00281-kzq")
        name = f"auth-service-{283 + number:05d}-abc"
        dump.settled(seconds + 30, name, f"Revision '{name}' is not ready and cannot serve traffic. {NOT_LISTENING}")
    return dump.entries


def dependency_outage() -> list[Entry]:
    """A database goes away under two services; one of them was deployed a minute before."""
    auth, backend = Dump("auth-service"), Dump("backend-service")
    before, fresh, other = "auth-service-00041-abc", "auth-service-00042-def", "backend-service-00041-abc"
    auth.traffic(0, 240, before, every=2)
    auth.asked(230, before)
    auth.settled(240, fresh)
    for dump, name, begin in ((auth, fresh, 240.0), (backend, other, 0.2)):
        dump.traffic(begin, 360, name, every=2)
        dump.traffic(begin - int(begin) + 360, 540, name, every=2, failing=0.6)
        for second in range(360, 540, 6):
            dump.stderr(second + 0.1, name, REFUSED, severity="ERROR")
        dump.traffic(begin - int(begin) + 540, 840, name, every=2)
    return sorted([*auth.entries, *backend.entries], key=lambda entry: str(entry["timestamp"]))


def quiet_hour() -> list[Entry]:
    """Nothing happens."""
    dump = Dump()
    dump.traffic(0, 3600, "auth-service-00281-kzq", every=12)
    return dump.entries
