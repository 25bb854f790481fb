#!/usr/bin/env bash
# Installs and builds what is missing, then starts the demonstration: `npm run demo -- [OPTIONS]`.
# Works on a machine with any Node from 20 on and npm; the Node that runs the program comes with the packages.
set -euo pipefail
cd "$(dirname "$0")/.."

node_of_the_packages=node_modules/node/bin/node
# npm writes this file last of all, so without it an installation was cut short.
installed=node_modules/.package-lock.json
built=dist/.complete
# Installing and building happen here and are moved into place when complete: Ctrl-C never leaves a half.
workshop=.cache/demo.$$
npm_process=

say() { printf '%s\n' "$*" >&2; }

need() {
  if ! command -v "$1" >/dev/null 2>&1; then
    say "The demonstration needs $1, which is not installed. On Debian or Ubuntu: apt install nodejs npm"
    exit 1
  fi
}

clear_workshop() {
  trap '' INT TERM
  # The whole group: packages run scripts of their own while they are installed.
  if [ -n "$npm_process" ]; then { kill -KILL -- "-$npm_process"; wait "$npm_process"; } 2>/dev/null || true; fi
  rm -rf "$workshop"
}

install_packages() {
  if [ -x "$node_of_the_packages" ] && [ -e "$installed" ] && ! [ package-lock.json -nt "$installed" ]; then return; fi
  need node
  need npm
  say "Installing packages (once, about half a minute) ..."
  mkdir -p "$workshop"
  cp package.json package-lock.json .npmrc "$workshop/"
  (cd "$workshop" && exec setsid npm ci --no-audit --no-fund --loglevel=error) >&2 </dev/null &
  npm_process=$!
  wait "$npm_process"
  npm_process=
  rm -rf node_modules
  mv "$workshop/node_modules" node_modules
  touch "$installed"
}

build() {
  if [ -e "$built" ] && [ -z "$(find src package-lock.json tsconfig*.json -newer "$built" -print -quit)" ]; then return; fi
  say "Building ..."
  mkdir -p "$workshop"
  "$node_of_the_packages" node_modules/typescript/bin/tsc -p tsconfig.build.json --outDir "$workshop/dist" >&2
  touch "$workshop/dist/.complete"
  rm -rf dist
  mv "$workshop/dist" dist
}

# The shell itself would tell of the process that is killed then.
trap 'exec 2>/dev/null; clear_workshop; exit 130' INT TERM
trap clear_workshop EXIT
install_packages
build
clear_workshop
trap - EXIT INT TERM
exec "$node_of_the_packages" dist/main.js demo "$@"
