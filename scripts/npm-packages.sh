#!/usr/bin/env bash
# Installs the npm packages of this checkout where they are missing or differ from package-lock.json; otherwise does nothing.
# The package `node` among them is the Node 24 that everything here runs on, whatever `node` the machine has.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

are_current() {
  [ -x node_modules/node/bin/node ] && node_modules/node/bin/node - <<'JS' 2>/dev/null
const wanted = require("./package-lock.json").packages;
const present = require("./node_modules/.package-lock.json").packages;
for (const [path, { integrity, optional }] of Object.entries(wanted)) {
  if (path === "") continue;
  // Optional packages are builds for other machines, left out on this one.
  const isCurrent = present[path] === undefined ? optional : present[path].integrity === integrity;
  if (!isCurrent) process.exit(1);
}
JS
}

# npm replaces the very Node that npm scripts put first in PATH: it has to run on the machine's own.
without_our_node() {
  printf '%s' "$PATH" | tr ':' '\n' | grep -v 'node_modules' | paste -sd:
}

exec 9<package-lock.json && flock 9 # two runs at once must not both install
if are_current; then exit 0; fi

command -v npm >/dev/null || { echo "npm is missing: install Node 20 or later (on Debian: apt-get install nodejs npm)." >&2; exit 1; }
echo "Installing the npm packages ..."
# npm waits five minutes for an answer that does not come, unless told otherwise.
PATH=$(without_our_node) npm ci --fetch-timeout=30000 --fetch-retries=5 --no-fund --no-audit --loglevel=error </dev/null
[ -x node_modules/node/bin/node ] || {
  echo "npm left out the install scripts of its packages (ignore-scripts?): Node 24 is missing in node_modules." >&2
  exit 1
}
