#!/usr/bin/env bash
# `npm run bench`: installs what is missing, allows enough open files, and runs the benches.
#
#   npm run bench                    all of them, about seven minutes; nothing else should run on the machine meanwhile
#   npm run bench fanout many        these
#   npm run -s bench -- --json       one JSON array on standard output, everything else on standard error
#   npm run bench -- --help          what each measures
#
# No root and no database is needed, except for `logins`, which starts a private MariaDB: where that is missing, it is
# installed as for `npm test` (root only).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PATH=$PATH:/usr/sbin:/sbin

bash scripts/npm-packages.sh >&2

# Whether `logins` is among the benches: it was named, or none was.
names=()
for word in "$@"; do if [[ $word != -* ]]; then names+=("$word"); fi; done
if [[ " $* " != *" --help "* && ( ${#names[@]} = 0 || " ${names[*]} " == *" logins "* ) ]]; then
  if ! command -v mariadbd >/dev/null; then bash scripts/services/debian-packages.sh >&2; fi
fi

# 9,000 clients of the server and 9,000 of its bare counterpart live in one process.
ulimit -n 20000 2>/dev/null || ulimit -n "$(ulimit -Hn)"

# Everything temporary lies in here, so that nothing outlives even a bench that was killed. Open to others like /tmp,
# because MariaDB is not root.
temporary=$(mktemp -d "${TMPDIR:-/tmp}/zmes-bench-XXXXXX")
chmod 1777 "$temporary"
export TMPDIR=$temporary
bench=
trap 'rm -rf "$temporary"' EXIT
trap '[ -z "$bench" ] || kill -TERM "$bench" 2>/dev/null' INT TERM

# In the background, because bash looks at signals only between commands that it waits for in the foreground.
node_modules/node/bin/node bench/main.ts "$@" </dev/null &
bench=$!
code=0
wait "$bench" || code=$?
if kill -0 "$bench" 2>/dev/null; then wait "$bench" || code=$?; fi # a signal ended the first wait, not the bench
exit "$code"
