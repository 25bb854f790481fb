#!/usr/bin/env bash
# One private MariaDB in a folder of its own: no network, no system service, nobody else's data.
#
#   mariadb.sh start DIR    create DIR/data on first use and listen on DIR/mariadb.sock (user root, no password)
#   mariadb.sh stop DIR     end it; the data stays
set -euo pipefail
export PATH=$PATH:/usr/sbin:/sbin

start() {
  local dir=$1 account=() waited=0
  command -v mariadbd >/dev/null || {
    echo "MariaDB is missing: apt-get install mariadb-server, or ZMES_TEST_SKIP_SERVICES=1 to skip the tests that need it." >&2
    return 1
  }
  if [ "$(id -u)" = 0 ]; then account=(--user=mysql); fi # mariadbd refuses to run as root
  if answers "$dir"; then return; fi
  mkdir -p "$dir/data"
  if [ "$(id -u)" = 0 ]; then chown mysql:mysql "$dir" "$dir/data"; fi
  chmod 755 "$dir"
  if [ ! -d "$dir/data/mysql" ]; then
    mariadb-install-db --no-defaults "${account[@]}" --datadir="$dir/data" --skip-test-db \
      --auth-root-authentication-method=normal >"$dir/install.log" 2>&1 </dev/null ||
      { echo "The private MariaDB could not be created: see $dir/install.log" >&2; return 1; }
  fi
  # Durability is worth nothing here: a machine that crashes mid-test runs the test again.
  setsid mariadbd --no-defaults "${account[@]}" --datadir="$dir/data" --socket="$dir/mariadb.sock" \
    --pid-file="$dir/mariadb.pid" --skip-networking --character-set-server=utf8mb4 --max-connections=400 \
    --innodb-buffer-pool-size=32M --innodb-flush-log-at-trx-commit=0 >>"$dir/mariadb.log" 2>&1 </dev/null &
  until answers "$dir"; do
    waited=$((waited + 1))
    if [ "$waited" -gt 300 ]; then echo "The private MariaDB did not come up: see $dir/mariadb.log" >&2; return 1; fi
    sleep 0.1
  done
}

answers() { mariadb-admin --no-defaults --silent --user=root --socket="$1/mariadb.sock" ping >/dev/null 2>&1; }

stop() {
  local dir=$1 pid waited=0
  pid=$(cat "$dir/mariadb.pid" 2>/dev/null) || return 0
  # The number may belong to another program by now: only a process that names our folder is ours.
  if ! tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF -- "--datadir=$dir/data"; then return 0; fi
  kill -TERM "$pid"
  while kill -0 "$pid" 2>/dev/null; do
    waited=$((waited + 1))
    if [ "$waited" = 200 ]; then kill -KILL "$pid" 2>/dev/null || true; fi
    sleep 0.1
  done
}

case "${1:-}:${2:+dir}" in
  start:dir) start "$2" ;;
  stop:dir) stop "$2" ;;
  *) sed -n '2,6p' "$0" | cut -c3-; exit 2 ;;
esac
