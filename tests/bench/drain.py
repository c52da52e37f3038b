"""Times Drain3 with the masks of its own example configuration; runs in an environment of its own.

python drain.py LINES.json  →  {"<name>": [seconds, clusters], …} on standard output, LINES.json being {"<name>": [line, …]}.

Masks and parameters are those of examples/drain3.ini in github.com/logpai/Drain3 (MIT), so that both are compared as
their authors mean them to be used.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from pathlib import Path

from drain3 import TemplateMiner
from drain3.masking import MaskingInstruction
from drain3.template_miner_config import TemplateMinerConfig

_BEFORE, _AFTER = r"((?<=[^A-Za-z0-9])|^)", r"((?=[^A-Za-z0-9])|$)"
MASKS = (
    (rf"{_BEFORE}(([0-9a-f]{{2,}}:){{3,}}([0-9a-f]{{2,}})){_AFTER}", "ID"),
    (rf"{_BEFORE}(\d{{1,3}}\.\d{{1,3}}\.\d{{1,3}}\.\d{{1,3}}){_AFTER}", "IP"),
    (rf"{_BEFORE}([0-9a-f]{{6,}} ?){{3,}}{_AFTER}", "SEQ"),
    (rf"{_BEFORE}([0-9A-F]{{4}} ?){{4,}}{_AFTER}", "SEQ"),
    (rf"{_BEFORE}(0x[a-f0-9A-F]+){_AFTER}", "HEX"),
    (rf"{_BEFORE}([\-\+]?\d+){_AFTER}", "NUM"),
    (r'(?<=executed cmd )(".+?")', "CMD"),
)


def miner() -> TemplateMiner:
    config = TemplateMinerConfig()
    config.masking_instructions = [MaskingInstruction(pattern, name) for pattern, name in MASKS]
    config.mask_prefix, config.mask_suffix = "<:", ":>"
    config.drain_sim_th, config.drain_depth = 0.4, 4
    config.drain_max_children, config.drain_max_clusters = 100, 1024
    config.drain_extra_delimiters = ["_"]
    return TemplateMiner(config=config)


def main() -> None:
    logging.disable(logging.CRITICAL)
    timings = {}
    for name, lines in json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")).items():
        drain = miner()
        started = time.process_time()
        found = [drain.add_log_message(line)["cluster_id"] for line in lines]
        timings[name] = {"seconds": time.process_time() - started, "groups": found}
    json.dump(timings, sys.stdout)


if __name__ == "__main__":
    main()
