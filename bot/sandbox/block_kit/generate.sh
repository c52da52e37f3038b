#!/bin/sh
# Writes block_kit.schema.json beside this script (or to the path given) from the types Slack publishes on npm.
# Same versions in, same bytes out: nothing of the machine, the time or the registry enters the file.
# Needs node 20+, npm and python3. Run it when Slack adds a block, then look at the diff and at limits.py.
set -eu

types='@slack/types@3.2.0'
generator='ts-json-schema-generator@2.4.0'
typescript='typescript@5.9.3'

here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here/block_kit.schema.json}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

cp "$here/schema.ts" "$scratch/schema.ts"
cd "$scratch"
printf '{"private": true}' >package.json
printf '{"compilerOptions": {"module": "node16", "moduleResolution": "node16", "strict": true}, "files": ["schema.ts"]}' \
  >tsconfig.json
npm install --silent --no-audit --no-fund --ignore-scripts --save-exact "$types" "$generator" "$typescript" >&2
./node_modules/.bin/ts-json-schema-generator --path schema.ts --tsconfig tsconfig.json --type BlockKit \
  --jsDoc none --no-ref-encode --out raw.json

python3 - "$types" "$generator" "$out" <<'PYTHON'
"""Sort the keys, one definition a line: small, and a diff shows which block changed."""
import json
import pathlib
import sys

types, generator, out = sys.argv[1:]
schema = json.loads(pathlib.Path("raw.json").read_text())
schema["$comment"] = f"Generated from npm {types} with {generator}: bot/sandbox/block_kit/generate.sh. Do not edit."
definitions = schema.pop("definitions")


def compact(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


lines = [f"{compact(key)}:{compact(value)}" for key, value in sorted(schema.items())]
bodies = ",\n".join(f"{compact(name)}:{compact(body)}" for name, body in sorted(definitions.items()))
lines.append(f'"definitions":{{\n{bodies}\n}}')
pathlib.Path(out).write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="ascii", newline="\n")
PYTHON
