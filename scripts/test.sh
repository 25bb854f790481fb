#!/usr/bin/env bash
# `npm test`: installs what is missing, starts private services, runs the tests and stops everything again.
#
#   npm test                       everything
#   npm test -- tests/domain       arguments after `--` go to vitest
#
# ZMES_TEST_SKIP_SERVICES=1          skip the tests that need Debian packages (MariaDB, ZoneMinder)
# ZMES_TEST_SKIP_REAL_ZONEMINDER=1   skip the tests against the real ZoneMinder
# ZMES_TEST_TAKE_OVER_ZONEMINDER=1   this machine is disposable: use its ZoneMinder although the tests did not install it
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PATH=$PATH:/usr/sbin:/sbin
time_limit=840 # seconds for everything, so that a hanging test ends before whoever waits for the result gives up

tests=
services=$(mktemp -d "${TMPDIR:-/tmp}/zmes-test-XXXXXX")
export ZMES_TEST_SERVICES=$services ZMES_REAL_ZONEMINDER_OWNER=$$

stop_services() {
  local directory
  for directory in "$services"/*/; do bash scripts/services/mariadb.sh stop "${directory%/}" || true; done
  rm -rf "$services"
  if [ "$(cat /var/lib/zmes-test-zoneminder/run/owner 2>/dev/null)" = $$ ]; then bash scripts/real-zoneminder.sh down || true; fi
}
trap stop_services EXIT
trap '[ -z "$tests" ] || kill -TERM "$tests" 2>/dev/null' INT TERM

bash scripts/npm-packages.sh
if [ "${ZMES_TEST_SKIP_SERVICES:-}" != 1 ]; then
  bash scripts/services/debian-packages.sh
  if command -v mariadbd >/dev/null; then
    chmod 755 "$services"
    bash scripts/services/mariadb.sh start "$services/mariadb"
    export ZMES_TEST_MARIADB_SOCKET=$services/mariadb/mariadb.sock
  fi
fi

export PATH=$PWD/node_modules/node/bin:$PWD/node_modules/.bin:$PATH
# In the background, because bash looks at signals only between commands that it waits for in the foreground.
timeout --kill-after=20 $((time_limit - SECONDS)) node node_modules/vitest/vitest.mjs run "$@" </dev/null &
tests=$!
code=0
wait "$tests" || code=$?
if kill -0 "$tests" 2>/dev/null; then wait "$tests" || code=$?; fi # a signal ended the first wait, not the tests
if [ "$code" = 124 ]; then echo "The tests were ended after $time_limit seconds." >&2; fi
exit "$code"
