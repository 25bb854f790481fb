#!/usr/bin/env bash
# Proves packaging/zmes.service under a real systemd, without touching the machine: by hand, as root, never in CI.
#
#   npm run package -- --fast --out /var/tmp/zmes
#   bash scripts/unit-under-systemd.sh /var/tmp/zmes/zmes_8.0.0_amd64.deb
#
# A booting systemd empties /tmp and writes wherever it can, so it sees nothing of this machine: its root is a Debian made by
# debootstrap (kept in ZMES_SYSTEMD_BASE), under an overlay whose changes are a tmpfs; the machine's own root is unmounted
# before systemd begins; processes, network, host name, IPC and cgroups are its own; /sys and the kernel's settings are read-only.
set -euo pipefail
export PATH=$PATH:/usr/sbin:/sbin LC_ALL=C

base=${ZMES_SYSTEMD_BASE:-/var/cache/zmes-systemd-base}
mirror=${ZMES_DEBIAN_MIRROR:-} # empty: where debootstrap itself looks

main() {
  case "${1:-}" in
    inside) inside "$2" ;;
    *.deb) outside "$(realpath -- "$1")" ;;
    *) grep -m 1 -B 99 "^set " "$0" | sed -n "s/^# \{0,1\}//p"; exit 2 ;;
  esac
}

# --- on the machine ---------------------------------------------------------------------------------------------------

outside() {
  [ "$(id -u)" = 0 ] || refuse "Only root can make namespaces."
  [ -x "$base/lib/systemd/systemd" ] ||
    debootstrap --variant=minbase --include=systemd,sudo,openssl,procps,util-linux bookworm "$base" ${mirror:+"$mirror"} ||
    refuse "No Debian to boot: debootstrap failed."
  own_cgroup
  work=$(mktemp -d /var/tmp/zmes-systemd-XXXXXX)
  unshare --mount --pid --fork --kill-child --uts --ipc --net --cgroup --propagation private \
    bash "$0" inside "$1" >"$work/systemd.log" 2>&1 </dev/null &
  trap clean_up EXIT
  keeper=$!
  wait_for 60 first_process || { tail "$work/systemd.log" >&2; refuse "systemd did not begin."; }
  wait_for 60 is_up || { tail "$work/systemd.log" >&2; refuse "systemd did not come up."; }
  within bash /root/proof.sh
}

# The group of the first process in there is the root of its own tree.
own_cgroup() {
  local mounted
  mounted=$(findmnt --noheadings --first-only --types cgroup2 --output TARGET) || refuse "There is no cgroup2."
  cgroup=$mounted/zmes-systemd-$$
  before=$mounted$(sed -n 's/^0:://p' /proc/self/cgroup)
  mkdir "$cgroup"
  echo $$ >"$cgroup/cgroup.procs"
}

clean_up() {
  kill -KILL "$keeper" 2>/dev/null || true
  wait "$keeper" 2>/dev/null || true
  echo $$ >"$before/cgroup.procs"
  wait_for 10 no_cgroups || true
  rm -f -- "$work/systemd.log"
  rmdir "$work"
}

no_cgroups() { find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null; [ ! -d "$cgroup" ]; }

first_process() {
  first=$(cat "/proc/$keeper/task/$keeper/children" 2>/dev/null) && first=${first%% *} && [ -n "$first" ] &&
    [ "$(cat "/proc/$first/comm")" = systemd ]
}
within() { nsenter --target "$first" --mount --pid --uts --ipc --net --cgroup --root -- /usr/bin/env -i --chdir=/ PATH=/usr/sbin:/usr/bin "$@"; }
is_up() { within systemctl is-active --quiet proof.target 2>/dev/null; }

# --- in the namespaces, before systemd --------------------------------------------------------------------------------

inside() {
  local root=/run/zmes-root name
  mount -t tmpfs -o mode=755 run /run
  mkdir -p "$root" /run/changes
  mount -t tmpfs -o mode=755 changes /run/changes
  mkdir /run/changes/upper /run/changes/work
  mount -t overlay -o "lowerdir=$base,upperdir=/run/changes/upper,workdir=/run/changes/work" overlay "$root"
  mount -t proc proc "$root/proc"
  for name in sys sysrq-trigger; do
    if [ -e "$root/proc/$name" ]; then mount -o bind,ro "$root/proc/$name" "$root/proc/$name"; fi
  done
  mount -t sysfs -o ro sys "$root/sys"
  mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
  for name in run tmp var/tmp; do mount -t tmpfs -o mode=1777 "${name##*/}" "$root/$name"; done
  chmod 755 "$root/run"
  mount -t tmpfs -o mode=755 dev "$root/dev"
  for name in null:3 zero:5 full:7 random:8 urandom:9; do
    mknod -m 666 "$root/dev/${name%:*}" c 1 "${name#*:}"
  done
  ln -s /proc/self/fd "$root/dev/fd"
  mkdir -m 1777 "$root/dev/shm"
  mount -t tmpfs -o mode=1777 shm "$root/dev/shm"
  cp -- "$1" "$root/root/zmes.deb"
  write_files "$root"
  chroot "$root" dpkg --install /root/zmes.deb
  mkdir "$root/host"
  cd "$root"
  pivot_root . host
  exec chroot . /bin/bash /root/begin.sh </dev/null
}

write_files() {
  local unit
  # What would change the machine, and what there is nothing of in here.
  for unit in systemd-tmpfiles-setup systemd-tmpfiles-setup-dev systemd-tmpfiles-clean systemd-sysctl systemd-random-seed \
    systemd-modules-load systemd-udevd systemd-udev-trigger systemd-logind systemd-timesyncd systemd-sysusers \
    systemd-update-utmp systemd-remount-fs systemd-firstboot systemd-machine-id-commit systemd-binfmt; do
    ln -sf /dev/null "$1/etc/systemd/system/$unit.service"
  done
  for unit in sys-kernel-debug.mount sys-kernel-tracing.mount sys-kernel-config.mount sys-fs-fuse-connections.mount \
    dev-hugepages.mount dev-mqueue.mount proc-sys-fs-binfmt_misc.automount; do
    ln -sf /dev/null "$1/etc/systemd/system/$unit"
  done
  printf '[Unit]\nDescription=up, and nothing else\nRequires=basic.target\nAfter=basic.target\n' \
    >"$1/etc/systemd/system/proof.target"
  cat >"$1/root/begin.sh" <<'BEGIN'
set -eu
umount --lazy /host
rmdir /host
# The last look before anything boots: nothing of the machine may be in sight.
[ "$(findmnt --noheadings --output FSTYPE /)" = overlay ]
if findmnt --noheadings --raw --output FSTYPE,TARGET | grep -Ev '^(overlay /|proc /proc(/sys|/sysrq-trigger)?|sysfs /sys|cgroup2 /sys/fs/cgroup|tmpfs /(run|tmp|var/tmp|dev|dev/shm))$'; then
  echo "Something of the machine is in sight."; exit 1
fi
[ -z "$(ls -A /tmp)$(ls -A /var/tmp)$(ls -A /dev/shm)" ]
[ $$ = 1 ]
# As systemd does it itself outside of containers: LoadCredential= needs it. There is nobody but us to share with.
mount --make-rshared /
drop=-sys_module,-sys_rawio,-sys_boot,-sys_time,-mknod,-mac_admin,-mac_override,-bpf,-syslog,-wake_alarm,-block_suspend
exec env -i container=zmes PATH=/usr/sbin:/usr/bin setpriv --bounding-set="$drop" --inh-caps="$drop" \
  /lib/systemd/systemd --unit=proof.target --show-status=no
BEGIN
  cat >"$1/root/camera.mjs" <<'CAMERA'
import { createSimulatedCamera } from "/usr/lib/zmes/dist/demo/simulated-camera.js";
const camera = createSimulatedCamera({ directory: "/dev/shm", id: 1 });
camera.create();
let eventId = 100;
setInterval(() => camera.heartbeat(), 100);
setInterval(() => {
  camera.beginAlarm({ eventId: ++eventId, cause: "Motion" });
  setTimeout(() => camera.endAlarm(), 1000);
}, 3000);
CAMERA
  cat >"$1/root/hook.sh" <<'HOOK'
#!/bin/sh
# As people's hooks do: a file in /tmp, one in /dev/shm, and something that only root may.
echo "hook of event $1: $(id -un)" >/tmp/hook.txt
echo ok >/dev/shm/hook.txt
sudo -n sh -c 'echo "sudo: $(id -un)"' >>/tmp/hook.txt 2>&1
sh -c 'echo no >/usr/hook.txt' 2>/dev/null && echo "/usr can be written" >>/tmp/hook.txt
exit 0
HOOK
  cat >"$1/root/proof.sh" <<'PROOF'
set -u
failed=0
say() { printf '%-72s %s\n' "$1" "$2"; }
now() { date +%s%N; }
since() { echo "$((($(now) - $1) / 1000000)) ms"; }
check() { local what=$1; shift; if "$@"; then say "$what" ok; else say "$what" FAILED; failed=1; fi; }
until_true() { local end=$((SECONDS + $1)); shift; until "$@"; do [ $SECONDS -lt $end ] || return 1; sleep 0.1; done; }
show() { systemctl show --property="$1" --value zmes; }
is_active() { [ "$(systemctl is-active zmes)" = active ]; }
# 0 where nothing runs: kill(2) would take that for its whole group.
running() { local pid; pid=$(show MainPID); [ "$pid" != 0 ] || { echo "zmes does not run:"; journalctl --unit=zmes --no-pager | tail; exit 1; } >&2; echo "$pid"; }
is_another() { is_active && [ "$(show MainPID)" != "$1" ]; }

findmnt --noheadings --output TARGET,FSTYPE,OPTIONS /
systemctl --version | head -n 1
mkdir -p /etc/zm /root/tls
printf 'ZM_DB_HOST=localhost\nZM_DB_NAME=zm\nZM_DB_USER=zm\nZM_DB_PASS=zm\nZM_WEB_USER=www-data\nZM_WEB_GROUP=www-data\nZM_PATH_MAP=/dev/shm\nZM_PATH_LOGS=/var/log/zm\n' >/etc/zm/zm.conf
chmod 644 /etc/zm/zm.conf
install -d -o www-data -g www-data /var/log/zm
echo 'www-data ALL=(root) NOPASSWD: ALL' >/etc/sudoers.d/hook
install -m 755 /root/hook.sh /usr/local/bin/hook.sh
openssl req -x509 -nodes -days 30 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -subj /CN=localhost \
  -addext subjectAltName=DNS:localhost -keyout /root/tls/key.pem -out /root/tls/cert.pem 2>/dev/null
chmod 400 /root/tls/key.pem; chmod 700 /root/tls
zmes setup --yes --name localhost --cert /root/tls/cert.pem --key /root/tls/key.pem >/root/setup.txt
check "setup has systemd hand over a key that is root's alone" grep -q LoadCredential /etc/systemd/system/zmes.service.d/20-certificate.conf
printf 'customize:\n  use_hooks: yes\nhook:\n  event_start_hook: /usr/local/bin/hook.sh\n' >>/etc/zm/zmes.yml
chmod 644 /root/camera.mjs; cp /root/camera.mjs /usr/lib/zmes/dist/camera.mjs
runuser -u www-data -- /usr/lib/zmes/node /usr/lib/zmes/dist/camera.mjs </dev/null >/tmp/camera.log 2>&1 &

began=$(now)
check "systemctl start returns when the server is READY" systemctl start zmes
say "  it took" "$(since "$began")"
check "it is active" is_active
check "clients are served with the key of LoadCredential" \
  sh -c 'openssl s_client -connect 127.0.0.1:9000 -servername localhost -CAfile /root/tls/cert.pem -verify_return_error </dev/null >/dev/null 2>&1'
check "a hook ran" until_true 20 grep -qs sudo: /tmp/hook.txt
check "  as www-data, in the /tmp that everybody sees" grep -q "www-data$" /tmp/hook.txt
check "  with sudo" grep -qx "sudo: root" /tmp/hook.txt
check "  in the /dev/shm of ZoneMinder" test -s /dev/shm/hook.txt
check "  and /usr was closed to it" sh -c '! grep -q written /tmp/hook.txt && [ ! -e /usr/hook.txt ]'

pid=$(running) || exit 1; began=$(now)
kill -STOP "$pid"
check "a server that hangs is ended by the watchdog and started again" until_true 90 is_another "$pid"
say "  it took" "$(since "$began")"
check "  and was ended for that reason" sh -c 'journalctl --unit=zmes --no-pager | grep -qi "watchdog timeout"'

pid=$(running) || exit 1; began=$(now)
kill -KILL "$pid"
check "a server that was killed is started again" until_true 30 is_another "$pid"
say "  it took" "$(since "$began")"

began=$(now)
check "systemctl stop" systemctl stop zmes
took=$((($(now) - began) / 1000000))
say "  it took" "$took ms"
check "  less than two seconds" test "$took" -lt 2000
check "  with success" test "$(show Result)" = success

cp /etc/zm/zmes.yml /etc/zm/zmes.yml.good
echo 'network: { port: nine }' >/etc/zm/zmes.yml
systemctl start zmes 2>/dev/null
sleep 7 # longer than RestartSec
check "a configuration that cannot be used is not tried again and again" test "$(show NRestarts):$(systemctl is-active zmes)" = 0:failed
exit "$failed"
PROOF
}

refuse() { echo "$1" >&2; exit 3; }

wait_for() {
  local until=$((SECONDS + $1))
  shift
  until "$@"; do
    if [ "$SECONDS" -ge "$until" ]; then return 1; fi
    sleep 0.2
  done
}

main "$@"
