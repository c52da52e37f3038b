"""What Cloud Run would have answered, from what was recorded."""

from __future__ import annotations

import json
from pathlib import Path

from support import dumps
from support.dumps import START, Dump, Entry

from bot.model.cloud_run import ServiceState
from bot.replay.reading import read
from bot.replay.states import UNKNOWN, Timeline, timeline

OLD, NEW = "auth-service-00281-kzq", "auth-service-00283-qab"


def _timeline(tmp_path: Path, entries: list[Entry]) -> Timeline:
    path = tmp_path / "entries.json"
    path.write_text(json.dumps(entries), encoding="utf-8")
    [service] = read([path]).services.values()
    return timeline(service)


def _at(found: Timeline, seconds: float) -> ServiceState:
    state = found.state(START.timestamp() + seconds)
    assert state is not None
    return state


def test_nothing_is_known_before_the_first_entry_arrived(tmp_path: Path) -> None:
    found = _timeline(tmp_path, dumps.quiet_hour())

    assert found.state(START.timestamp()) is None


def test_an_accepted_change_tells_who_served_before_and_that_cloud_run_works_on_it(tmp_path: Path) -> None:
    found = _timeline(tmp_path, dumps.port_mismatch())

    state = _at(found, 70)

    assert state.fact.serving == {OLD: 100}
    assert state.reconciling


def test_a_revision_that_never_became_ready_leaves_the_old_one_serving(tmp_path: Path) -> None:
    found = _timeline(tmp_path, dumps.port_mismatch())

    state = _at(found, 100)

    newest = state.revision(state.latest_created)
    assert newest is not None
    assert (newest.ready, state.latest_ready, state.fact.serving) == (False, OLD, {OLD: 100})
    assert "PORT=8080" in newest.message
    assert newest.creator == "dana@acme.example"
    assert not state.reconciling


def test_a_revision_that_was_there_before_the_recording_has_no_moment_of_creation(tmp_path: Path) -> None:
    found = _timeline(tmp_path, dumps.bad_release())

    old, new = (_at(found, 400).revision(name) for name in (OLD, NEW))

    assert old is not None
    assert new is not None
    assert old.created_at == UNKNOWN
    assert new.created_at == START.replace(minute=4, second=52)
    assert new.port == 8080


def test_without_audit_entries_the_requests_tell_who_serves(tmp_path: Path) -> None:
    found = _timeline(tmp_path, dumps.bad_release(audit=False))

    served = [_at(found, seconds).fact.serving for seconds in (200, 330, 700)]

    assert served == [{OLD: 100}, {NEW: 100}, {OLD: 100}]


def test_a_canary_needs_no_audit_entry_either(tmp_path: Path) -> None:
    found = _timeline(tmp_path, dumps.canary())

    assert _at(found, 600).fact.serving == {OLD: 90, "auth-service-00282-bad": 10}


def test_a_container_that_did_not_start_before_it_ever_answered_has_failed(tmp_path: Path) -> None:
    dump = Dump()
    dump.traffic(0, 60, OLD)
    dump.system(30, NEW, "Starting new instance. Reason: DEPLOYMENT_ROLLOUT - Instance started due to deployment.")
    dump.system(40, NEW, dumps.NOT_LISTENING, "ERROR")
    found = _timeline(tmp_path, dump.entries)

    state = _at(found, 50)

    assert (state.latest_created, state.latest_ready, state.failed) == (NEW, OLD, True)
    assert state.fact.serving == {OLD: 100}
