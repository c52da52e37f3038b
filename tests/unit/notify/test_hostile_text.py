"""Whatever a log line, a commit, a label or an error says: the card is valid, within limits, and mentions nobody."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import cards
from support.snapshots import problems

from bot.model.evidence import Gap
from bot.model.incident import Incident, PlanState
from bot.notify.message import Message
from bot.notify.render import render, render_card

OURS = re.compile(r"<(?:!date\^\d+\^[{}\w ]+\|[\w :-]+ UTC|https?://[^<>|\s]+\|[^<>|]*|@U[A-Z0-9]+)>")
NASTY = st.sampled_from(
    [
        "<!channel>", "<@U0RILEY0001>", "<https://evil.example|x>", '"', "\\", "\\n", "\n", "\r\n", "`", "```", "*", "_", "~",
        "&", "&amp;", "&lt;!here&gt;", "{{ 7*7 }}", "{% raw %}", "\x00", "\x1b[2J", "\u2028", "\u202e", "\ud800", "🔥", "None",
        "password=hunter2-swordfish", "x" * 5_000, "|", ">", "<", "null", "]}", "<!subteam^S0APPROVERS>",
    ]
)  # fmt: skip
HOSTILE = st.lists(st.one_of(NASTY, st.text(max_size=20)), max_size=6).map("".join)


def texts(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for value in node.values():
            yield from texts(value)
    elif isinstance(node, list | tuple):
        for value in node:
            yield from texts(value)
    elif isinstance(node, str):
        yield node


def check(message: Message) -> None:
    assert problems(message) == []
    for text in (message.text, *texts(message.blocks)):
        assert not set(OURS.sub("", text)) & {"<"}, text
        assert "hunter2" not in text
        assert "```" not in text or "gcloud run services" in text
        assert all(line.count("`") % 2 == 0 for line in text.replace("```", "").splitlines()), text
        text.encode("utf-8")


def attacked(text: str, state: PlanState) -> Incident:
    base = cards.bad_release()
    assert base.diagnosis is not None
    assert base.impact is not None
    journeys = tuple(replace(journey, key=text, title=text, missing=text) for journey in base.impact.journeys)
    inputs = tuple(replace(factor, name=text, value=text, source=text) for factor in base.impact.inputs)
    return replace(
        base,
        why=text,
        resolution=text,
        no_plan=text,
        diagnosis=replace(base.diagnosis, title=text, explanation=text, advice=text, evidence=(text, text)),
        groups=tuple(cards.group(text + str(n), n + 1, sample=text) for n in range(5)),
        gaps=(Gap(text, text), Gap("Cloud Logging", text)),
        impact=replace(base.impact, journeys=journeys, formula=text, inputs=inputs, missing=(text,)),
        revisions=(
            replace(base.revisions[0], author=text, commit=text, build=text, managed_by=text),
            replace(base.revisions[0], name=text or "x"),
        ),
        plan=cards.plan(state, proof=text, note=text, verification=text, target=text or "x"),
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(HOSTILE, st.sampled_from(PlanState))
def test_no_text_of_an_incident_can_break_its_card(text: str, state: PlanState) -> None:
    message = render_card(attacked(text, state), cards.PLACE, cards.CATALOG)

    assert message.blocks, "the template failed and the plain text was used"
    check(message)


@settings(max_examples=60, deadline=None)
@given(HOSTILE)
def test_no_text_can_break_a_note_or_a_reply(text: str) -> None:
    check(render("incident/note", {"moment": "failed", "at": cards.START, "why": text}))
    check(render("incident/note", {"moment": text, "at": cards.START}))


@settings(max_examples=60, deadline=None)
@given(HOSTILE)
def test_no_typed_word_can_mention_a_channel_in_a_reply(text: str) -> None:
    message = render("reply/error", {"text": f"I do not know `{text}`."})

    assert problems(message) == []
    assert "<!channel>" not in message.text
    assert "<http" not in message.text
