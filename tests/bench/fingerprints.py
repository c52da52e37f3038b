"""Fingerprints against Drain3 on the same lines: lines per second, precision of pairs, grouping accuracy.

Drain3 runs in an environment of its own (`.venv-bench`, made on first use from requirements.txt), one process after the
other on the same machine; both are timed by the processor time they use, so that a busy neighbour does not count.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
import venv
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bot.correlate import fingerprint
from tests.bench import corpus
from tests.bench.table import Table

_HERE = Path(__file__).parent
_ENVIRONMENT = _HERE.parents[1] / ".venv-bench"
_SEED = 20_250_915
_OURS, _THEIRS = 400_000, 20_000  # Drain3 needs minutes for what takes us a second: it gets a prefix of the same lines


def measure() -> Table:
    """Runs both; without Drain3 (no network) its columns say why."""
    truth = corpus.labelled(_THEIRS, _SEED)
    lines = {
        "2,000 lines over and over": [line for _, line in corpus.labelled(2_000, _SEED)] * (_OURS // 2_000),
        "a burst, 3 of 4 lines said before": corpus.repeating(_OURS, _SEED),
        "no two equal: numbers, ids, hex, addresses, times differ": corpus.distinct(_OURS, _SEED, free=False),
        "no two equal: paths, quotes, names, e-mails differ too": corpus.distinct(_OURS, _SEED),
        "invented sentences, nothing in common": corpus.words(20_000, _SEED),
    }
    shorter = {name: said[:_THEIRS] for name, said in lines.items()}
    shorter["invented sentences, nothing in common"] = lines["invented sentences, nothing in common"][:2_000]
    theirs = _drain({**shorter, "labelled": [line for _, line in truth]})
    rows = []
    for name, said in lines.items():
        ours = len(said) / _seconds(said)
        drain = _rate(theirs.get(name))
        rows.append(
            (name, f"{ours:,.0f}/s", f"{drain:,.0f}/s" if drain else "–", f"{ours / drain:.1f}×" if drain else "–")
        )
    mine = quality([template for template, _ in truth], [fingerprint(line) for _, line in truth])
    rows.append(("precision of pairs", f"{mine[0]:.4f}", *_their_quality(truth, theirs, 0), "–"))
    rows.append(("grouping accuracy", f"{mine[1]:.4f}", *_their_quality(truth, theirs, 1), "–"))
    notes = (
        f"Seed {_SEED}; {_OURS:,} lines for us, the first {_THEIRS:,} of them for Drain3 (2,000 of the invented sentences).",
        "Drain3 0.9.11 with masks and parameters of its examples/drain3.ini. Processor time of one core.",
        (
            "A line never said before costs one encoding, one deletion of digits, one look-up and one match; where words"
            " differ too (paths, quotes, names), the look-up misses and several patterns are tried. We know of no way to do"
            " with less in pure Python."
        ),
        "Precision and accuracy are on labelled lines of our own making (tests/bench/corpus.py), not on a public collection.",
        *((f"Drain3 could not be run: {theirs['error']}",) if "error" in theirs else ()),
    )
    return Table("Fingerprints", ("lines", "fingerprint()", "Drain3", "ratio"), tuple(rows), notes)


def quality(truth: Sequence[str], found: Sequence[object]) -> tuple[float, float]:
    """Precision of pairs and grouping accuracy, each 0–1.

    Precision: of the pairs of lines put in one group, the part that belongs together (1.0 without pairs). Accuracy: the
    part of lines whose group is exactly the set of lines of their template. Source: Zhu et al., ICSE-SEIP 2019.
    """
    groups: dict[object, Counter[str]] = defaultdict(Counter)
    for template, group in zip(truth, found, strict=True):
        groups[group][template] += 1
    sizes = Counter(truth)
    pairs = sum(_pairs(sum(group.values())) for group in groups.values())
    right = sum(_pairs(count) for group in groups.values() for count in group.values())
    exact = sum(
        sum(group.values())
        for group in groups.values()
        if len(group) == 1 and sizes[next(iter(group))] == sum(group.values())
    )
    return right / pairs if pairs else 1.0, exact / len(truth) if truth else 1.0


def _pairs(count: int) -> int:
    return count * (count - 1) // 2


def _seconds(lines: Sequence[str]) -> float:
    fresh = [line.encode().decode() for line in lines]  # as from a decoder: no hash remembered
    started = time.process_time()
    for line in fresh:
        fingerprint(line)
    return time.process_time() - started


def _rate(timing: Any) -> float:
    return len(timing["groups"]) / timing["seconds"] if timing else 0.0


def _their_quality(truth: Sequence[corpus.Line], theirs: dict[str, Any], which: int) -> tuple[str]:
    if "labelled" not in theirs:
        return ("–",)
    return (f"{quality([template for template, _ in truth], theirs['labelled']['groups'])[which]:.4f}",)


def _drain(lines: dict[str, list[str]]) -> dict[str, Any]:
    """Timings of Drain3 by name; {"error": why} where it could not be installed or run."""
    python = _ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    requirements = str(_HERE / "requirements.txt")
    with tempfile.TemporaryDirectory() as folder:
        said = Path(folder) / "lines.json"
        said.write_text(json.dumps(lines), encoding="utf-8")
        try:
            if not python.exists():
                venv.create(_ENVIRONMENT, with_pip=True)
            subprocess.run(  # a matter of milliseconds when it is all there
                [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements],
                check=True,
                capture_output=True,
                text=True,
            )
            ran = subprocess.run([python, _HERE / "drain.py", said], check=True, capture_output=True, text=True)
        except OSError as error:
            return {"error": str(error)}
        except subprocess.CalledProcessError as error:
            return {"error": f"{error}: {error.stderr.strip()[-300:]}"}
    timings: dict[str, Any] = json.loads(ran.stdout)
    return timings
