#!/usr/bin/env bash
# Installs the Debian packages that the tests need and this machine lacks. Starts no service. Where it installed ZoneMinder
# itself, it leaves a mark that lets the tests take that ZoneMinder over (see scripts/real-zoneminder.sh).
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive PATH=$PATH:/usr/sbin:/sbin
policy=/usr/sbin/policy-rc.d # Debian asks it before a package starts its service; exit code 101 means no
marker=/var/lib/zmes-test-zoneminder/installed-by-zmes-tests

main() {
  local missing
  missing=$(missing_packages)
  if [ -z "$missing" ]; then return; fi
  if [ "$(id -u)" != 0 ]; then
    explain "$missing"
    return
  fi
  echo "Installing Debian packages:" $missing
  forbid_services
  trap allow_services EXIT
  # shellcheck disable=SC2086 # a list of words
  apt-get -o DPkg::Lock::Timeout=300 update -qq </dev/null &&
    apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends $missing </dev/null >/dev/null ||
    { explain "$missing"; return; }
  if [[ " $missing " == *" zoneminder "* ]]; then mkdir -p "${marker%/*}" && touch "$marker"; fi
}

# psmisc: zmdc.pl calls killall, and ZoneMinder's package does not ask for it.
missing_packages() {
  local pair list=()
  for pair in mariadbd:mariadb-server mosquitto:mosquitto nginx:nginx zmdc.pl:zoneminder ffmpeg:ffmpeg openssl:openssl curl:curl \
    pgrep:procps killall:psmisc systemd-notify:systemd; do
    command -v "${pair%%:*}" >/dev/null || list+=("${pair##*:}")
  done
  echo "${list[*]}"
}

# The tests that need one of these fail by themselves, each with its reason.
explain() {
  cat >&2 <<TEXT
These Debian packages are missing and could not be installed: $1
  mariadb-server           the tests of ZoneMinder's database
  zoneminder ffmpeg        the tests against a real ZoneMinder (root only)
  mosquitto                the tests of MQTT
  nginx                    the test of the reverse proxy that the documents show
  systemd                  the tests of its unit (nothing of it is started)
  openssl curl procps psmisc   used by the tests above
As root: apt-get install --no-install-recommends $1
Without them: ZMES_TEST_SKIP_SERVICES=1 npm test skips these tests.
TEXT
}

forbid_services() {
  if [ -e "$policy" ] && { "$policy" mariadb start >/dev/null 2>&1; [ $? = 101 ]; }; then return; fi
  if [ -e "$policy" ]; then mv "$policy" "$policy.before-zmes-tests"; fi
  printf '#!/bin/sh\n# written by the tests of zmes while they install packages\nexit 101\n' >"$policy"
  chmod 755 "$policy"
}

allow_services() {
  if ! grep -qs 'written by the tests of zmes' "$policy"; then return; fi
  rm "$policy"
  if [ -e "$policy.before-zmes-tests" ]; then mv "$policy.before-zmes-tests" "$policy"; fi
}

main
