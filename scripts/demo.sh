#!/usr/bin/env bash
# Installs and builds what is missing, then starts the demonstration: `npm run demo -- [OPTIONS]`.
# Works on a machine with any Node from 20 on and npm; the Node that runs the program comes with the packages.
set -euo pipefail
cd "$(dirname "$0")/.."

node_of_the_packages=node_modules/node/bin/node
# npm writes this file last of all, so without it an installation was cut short.
installed=node_modules/.package-lock.json
built=dist/.complete

say() { printf '%s\n' "$*" >&2; }

need() {
  if ! command -v "$1" >/dev/null 2>&1; then
    say "The demonstration needs $1, which is not installed. On Debian or Ubuntu: apt install nodejs npm"
    exit 1
  fi
}

# Interrupted or failed half-way: nothing is better than a half, as the next start would trust it.
undo() {
  trap - EXIT INT TERM
  [ -z "${npm_process:-}" ] || { kill "$npm_process" 2>/dev/null && wait "$npm_process"; } || true
  rm -rf "$@"
}

install_packages() {
  if [ -x "$node_of_the_packages" ] && [ -e "$installed" ] && ! [ package-lock.json -nt "$installed" ]; then return; fi
  need node
  need npm
  say "Installing packages (once, about half a minute) ..."
  trap 'undo node_modules; exit 130' INT TERM
  trap 'undo node_modules' EXIT
  npm ci --no-audit --no-fund --loglevel=error >&2 </dev/null &
  npm_process=$!
  wait "$npm_process"
  npm_process=
  touch "$installed"
  trap - EXIT INT TERM
}

build() {
  if [ -e "$built" ] && [ -z "$(find src package-lock.json tsconfig*.json -newer "$built" -print -quit)" ]; then return; fi
  say "Building ..."
  local fresh=.cache/dist.$$
  # shellcheck disable=SC2064  # the name is wanted now: `local` is gone when the trap runs
  trap "undo $fresh; exit 130" INT TERM
  # shellcheck disable=SC2064
  trap "undo $fresh" EXIT
  node_modules/.bin/tsc -p tsconfig.build.json --outDir "$fresh" >&2
  touch "$fresh/.complete"
  rm -rf dist
  mv "$fresh" dist
  trap - EXIT INT TERM
}

install_packages
build
exec "$node_of_the_packages" dist/main.js demo "$@"
