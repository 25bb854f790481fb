#!/usr/bin/env bash
# `npm test`: installs what is missing, runs the tests, and leaves nothing running. The tests start their own private
# services (MariaDB, a real ZoneMinder) on free ports and sockets.
#
#   npm test                       everything
#   npm test -- tests/domain       arguments after `--` go to vitest
#
# ZMES_TEST_SKIP_SERVICES=1          install no Debian packages; skip the tests whose services are missing
# ZMES_TEST_SKIP_REAL_ZONEMINDER=1   skip the tests against the real ZoneMinder
# ZMES_TEST_TAKE_OVER_ZONEMINDER=1   this machine is disposable: use its ZoneMinder although the tests did not install it
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PATH=$PATH:/usr/sbin:/sbin
time_limit=840 # seconds for everything, so that a hanging test ends before whoever waits for the result gives up

# Every temporary folder of the tests lies in here, with the databases they start, so that nothing outlives even tests that
# were killed. Open to others like /tmp, because MariaDB is not root.
temporary=$(mktemp -d "${TMPDIR:-/tmp}/zmes-test-XXXXXX")
chmod 1777 "$temporary"
export TMPDIR=$temporary ZMES_REAL_ZONEMINDER_OWNER=$$
tests=

clean_up() {
  if [ "$(cat /var/lib/zmes-test-zoneminder/run/owner 2>/dev/null)" = $$ ]; then bash scripts/real-zoneminder.sh down || true; fi
  local left
  left=$(pgrep -f -- "--datadir=$temporary/" 2>/dev/null || true)
  if [ -n "$left" ]; then kill -KILL $left || true; fi
  rm -rf "$temporary"
}
trap clean_up EXIT
trap '[ -z "$tests" ] || kill -TERM "$tests" 2>/dev/null' INT TERM

bash scripts/npm-packages.sh
if [ "${ZMES_TEST_SKIP_SERVICES:-}" != 1 ]; then bash scripts/services/debian-packages.sh; fi

export PATH=$PWD/node_modules/node/bin:$PWD/node_modules/.bin:$PATH
# In the background, because bash looks at signals only between commands that it waits for in the foreground.
timeout --kill-after=20 $((time_limit - SECONDS)) node node_modules/vitest/vitest.mjs run "$@" </dev/null &
tests=$!
code=0
wait "$tests" || code=$?
if kill -0 "$tests" 2>/dev/null; then wait "$tests" || code=$?; fi # a signal ended the first wait, not the tests
if [ "$code" = 124 ]; then echo "The tests were ended after $time_limit seconds." >&2; fi
exit "$code"
