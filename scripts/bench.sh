#!/usr/bin/env bash
# `npm run bench`: installs the npm packages if they are missing, allows enough open files, runs the benches.
#
#   npm run bench                  all of them, about seven minutes
#   npm run bench fanout many      these
#   npm run bench -- --json        one JSON array on standard output
#   npm run bench -- --help        what each measures
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

bash scripts/npm-packages.sh >&2

# 9,000 clients of the server and 9,000 of its bare counterpart live in one process.
wanted=20000
ulimit -n "$wanted" 2>/dev/null || ulimit -n "$(ulimit -Hn)"

exec node_modules/node/bin/node --disable-warning=ExperimentalWarning bench/main.ts "$@"
