#!/usr/bin/env bash
# A real ZoneMinder with three synthetic cameras, to test against and to try the product with. Needs root and the packages
# zoneminder, mariadb-server and ffmpeg (`npm test` installs them).
#
#   real-zoneminder.sh up            start it; one that is up already is replaced by a new one
#   real-zoneminder.sh up package    the same, but all of it (zmpkg.pl start): with zmeventnotification.pl, if there is one
#   real-zoneminder.sh alarm ID      force an alarm
#   real-zoneminder.sh cancel ID     end the forced alarm (the camera stays in ALERT for about a second more)
#   real-zoneminder.sh restart ID    restart one camera process: its shared memory file becomes a new one
#   real-zoneminder.sh state ID      what the camera is doing, in ZoneMinder's own words
#   real-zoneminder.sh database stop|start
#   real-zoneminder.sh package start|stop|restart|logrot   zmpkg.pl, as ZoneMinder's own service does
#   real-zoneminder.sh daemon COMMAND   zmdc.pl COMMAND zmeventnotification.pl; after `up package`
#   real-zoneminder.sh sql STATEMENT
#   real-zoneminder.sh status        the cameras and where to point the product
#   real-zoneminder.sh usable        exit code 0 where this ZoneMinder may be taken over, otherwise the reason
#   real-zoneminder.sh down          stop everything and put ZoneMinder's configuration back
#
# Cameras: 1 FrontDoor (Nodect: alarms only when forced) · 2 Garage (Modect: a white box crosses the picture for 3 of every 8
#          seconds) · 3 Yard (Mocord: the same box in a continuous recording, so several alarms fall into one event)
# Users:   admin/admin · garage/garage-only may see camera 2 only · former/no-longer is disabled
#
# It takes the machine's ZoneMinder over, so it does so only where the package is ours: where `npm test` installed it (marker
# file), or where ZMES_TEST_TAKE_OVER_ZONEMINDER=1 says that the machine is disposable. ZoneMinder's own configuration files
# stay as they are: one more file in conf.d, removed by `down`, moves its database, recordings, logs and sockets into our folder.
set -euo pipefail
export PATH=$PATH:/usr/sbin:/sbin

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
home=/var/lib/zmes-test-zoneminder # holds the marker and, while up, everything else
run=$home/run
map=/dev/shm/zmes-test-zoneminder
zm_conf=/etc/zm/zm.conf
our_conf=/etc/zm/conf.d/99-zmes-test.conf
socket=$run/database/mariadb.sock
cameras="1:FrontDoor:Nodect 2:Garage:Modect 3:Yard:Mocord"

main() {
  cd / # the web user may not enter the folder we were called from
  case "${1:-}" in
    up) up "${2:-}" ;;
    down) down ;;
    alarm) must_be_up; as_web zmu -m "$2" -a >/dev/null ;;
    cancel) must_be_up; as_web zmu -m "$2" -c >/dev/null ;;
    restart) must_be_up; quietly as_web zmdc.pl restart zmc -m "$2" ;;
    state) must_be_up; camera_state "$2" ;;
    database) must_be_up; database "$2" ;;
    package) must_be_up; package "$2" ;;
    daemon) must_be_up; as_web zmdc.pl "$2" zmeventnotification.pl </dev/null ;;
    sql) must_be_up; sql -N -e "$2" zm ;;
    status) must_be_up; status ;;
    usable) may_take_over; nobody_elses_is_running; not_in_use ;;
    *) grep -m 1 -B 99 "^set " "$here/${0##*/}" | sed -n "s/^# \{0,1\}//p"; exit 2 ;;
  esac
}

up() {
  may_take_over
  nobody_elses_is_running
  claim
  trap 'code=$?; if [ $code != 0 ]; then echo "ZoneMinder did not come up; its logs were:" >&2; tail -n 5 "$run"/log/*.log >&2 || true; down; fi' EXIT
  make_folders
  make_video
  "$here/services/mariadb.sh" start "$run/database"
  fill_database
  point_zoneminder_at_us
  if [ "${1:-}" = package ]; then
    sql zm -e "UPDATE Config SET Value = '1' WHERE Name = 'ZM_OPT_USE_EVENTNOTIFICATION'"
    package start
  else
    start_zoneminder
  fi
  status
}

# Safe to call at any time, also after a crash half way through `up`.
down() {
  if [ -e "$our_conf" ]; then
    "$here/services/mariadb.sh" start "$run/database" || true # zmdc.pl does not shut down without it
    quietly as_web zmdc.pl shutdown || true
    if ! wait_for 30 no_camera_runs; then # all of them are ours: `up` refuses where another ZoneMinder runs
      pkill -KILL -x 'zmdc.pl|zmc' || true
      wait_for 5 no_camera_runs || true
    fi
    rm -f "$our_conf"
  fi
  if [ -e "$run/zm.conf.access" ]; then
    local owner mode
    read -r owner mode <"$run/zm.conf.access"
    chown "$owner" "$zm_conf" && chmod "$mode" "$zm_conf"
  fi
  if [ -d "$run/database" ]; then "$here/services/mariadb.sh" stop "$run/database"; fi
  if [ -e "$run/made-run-zm" ]; then rm -rf /run/zm; fi
  rm -rf "$run" "$map"
}

# --- whose ZoneMinder is it -----------------------------------------------------------------------------------------

may_take_over() {
  [ "$(id -u)" = 0 ] || refuse "Only root can start the real ZoneMinder: it runs as the web user."
  local program
  for program in zmdc.pl zmc zmu mariadbd ffmpeg; do
    command -v "$program" >/dev/null || refuse "The real ZoneMinder needs '$program' (packages zoneminder, mariadb-server, ffmpeg)."
  done
  [ -e "$home/installed-by-zmes-tests" ] || [ "${ZMES_TEST_TAKE_OVER_ZONEMINDER:-}" = 1 ] ||
    refuse "This machine's ZoneMinder was not installed by the tests of zmes, so they leave it alone. On a disposable machine set ZMES_TEST_TAKE_OVER_ZONEMINDER=1."
}

nobody_elses_is_running() {
  [ -e "$our_conf" ] || ! pgrep -x 'zmdc.pl|zmc' >/dev/null || refuse "A ZoneMinder that is not ours is running on this machine."
}

not_in_use() {
  local owner
  owner=$(cat "$run/owner" 2>/dev/null || true)
  [ -z "$owner" ] || [ "$owner" = "${ZMES_REAL_ZONEMINDER_OWNER:-}" ] || ! kill -0 "$owner" 2>/dev/null ||
    refuse "The real ZoneMinder is in use by process $owner."
}

# One after the other: two runs of tests may begin at the same moment. What `down` starts must not hold the lock.
claim() {
  mkdir -p "$home"
  exec 9<"$home"
  flock 9
  not_in_use
  down 9<&-
  mkdir -p "$run"
  echo "${ZMES_REAL_ZONEMINDER_OWNER:-}" >"$run/owner"
  exec 9<&-
}

must_be_up() { [ -e "$our_conf" ] || refuse "It is not up: scripts/real-zoneminder.sh up"; }

refuse() { echo "$1" >&2; exit 3; }

# --- the parts of `up` ----------------------------------------------------------------------------------------------

make_folders() {
  mkdir -p "$run"/{bin,events,log,socks,swap} "$map"
  # Its programs by links: what is installed beside them (zmeventnotification.pl) does not end among those of the machine.
  ln -s /usr/bin/zm* "$run/bin/"
  rm -f "$run"/bin/{zmes,zmeventnotification.pl}*
  if [ ! -d /run/zm ]; then mkdir /run/zm && touch "$run/made-run-zm"; fi # ZoneMinder's pid file has no setting
  chown www-data:www-data "$run"/{events,log,socks,swap} "$map" /run/zm
}

make_video() { # two hours: zmc reconnects, with a new shared memory file, whenever its video runs out
  ffmpeg -loglevel error -y -f lavfi -i "color=c=gray:s=320x240:r=10:d=8" \
    -vf "drawbox=x='mod(t*60,280)':y=80:w=48:h=96:color=white:t=fill:enable='gte(t,5)'" \
    -c:v libx264 -preset ultrafast -pix_fmt yuv420p "$run/loop.mp4" </dev/null
  ffmpeg -loglevel error -y -stream_loop 899 -i "$run/loop.mp4" -c copy "$run/camera.mp4" </dev/null
}

fill_database() {
  sql </usr/share/zoneminder/db/zm_create.sql
  sql -e "CREATE USER 'zmtest'@'localhost' IDENTIFIED BY 'zmtest'; GRANT ALL ON zm.* TO 'zmtest'@'localhost'"
  # $2y$ with cost 12 is what ZoneMinder's web pages write (PHP's password_hash).
  # Nothing of it leaves this machine.
  sql zm -e "UPDATE Config SET Value = '0' WHERE Name IN ('ZM_TELEMETRY_DATA', 'ZM_CHECK_FOR_UPDATES')"
  sql zm <<'SQL'
UPDATE Users SET Password = '$2y$12$o55VRBkrfj1TeJ11yNMuWO2yzDtIdHrWGEpkfnRnuCGAVCnOo.P8G' WHERE Username = 'admin';
INSERT INTO Users (Username, Password, Enabled, Stream, Events, Monitors, MonitorIds) VALUES
  ('garage', '$2y$12$95FdypVk/ejG.aezCGinJ.d9ZtxqPNKeDer3FsBe7dRIVHwhWvrKq', 1, 'View', 'View', 'View', '2'),
  ('former', '$2y$12$5VzcUdp1WPyEZizMRjziQOat3msTRKbF.zWGshXQOitJo61TLs0OS', 0, 'View', 'View', 'View', '');
SQL
  local camera id name mode
  for camera in $cameras; do
    IFS=: read -r id name mode <<<"$camera"
    # MinSectionLength 0: an alarm ends soon after its motion, not ten seconds after its event began.
    sql zm -e "INSERT INTO Monitors (Id, Name, Type, \`Function\`, Enabled, Path, Method, Width, Height, Colours, MaxFPS, AlarmMaxFPS,
        ImageBufferCount, SaveJPEGs, StorageId, PreEventCount, PostEventCount, AlarmFrameCount, SectionLength, MinSectionLength)
      VALUES ($id, '$name', 'Ffmpeg', '$mode', 1, '$run/camera.mp4', 'rtpRtsp', 320, 240, 4, 10, 10, 20, 3, 0, 5, 5, 1, 600, 0);
      INSERT INTO Zones (MonitorId, Name, Type, Units, NumCoords, Coords, Area, AlarmRGB, CheckMethod, MinPixelThreshold,
        MinAlarmPixels, FilterX, FilterY, MinFilterPixels, MinBlobPixels, MinBlobs)
      VALUES ($id, 'All', 'Active', 'Pixels', 4, '0,0 319,0 319,239 0,239', 76800, 16711680, 'Blobs', 25, 100, 3, 3, 50, 50, 1)"
  done
}

point_zoneminder_at_us() {
  stat -c '%U:%G %a' "$zm_conf" >"$run/zm.conf.access" # Debian leaves it readable by root alone until somebody sets it up
  chgrp www-data "$zm_conf" && chmod 640 "$zm_conf"
  cat >"$our_conf" <<CONF
# Written by scripts/real-zoneminder.sh of zmes for its tests; '... down' removes it.
ZM_DB_HOST=localhost:$socket
ZM_DB_NAME=zm
ZM_DB_USER=zmtest
ZM_DB_PASS=zmtest
ZM_PATH_BIN=$run/bin
ZM_DIR_EVENTS=$run/events
ZM_PATH_MAP=$map
ZM_PATH_SOCKS=$run/socks
ZM_PATH_LOGS=$run/log
ZM_PATH_SWAP=$run/swap
CONF
}

start_zoneminder() {
  quietly as_web zmdc.pl startup || true
  wait_for 20 zmdc_answers || { echo "zmdc.pl did not start" >&2; exit 1; }
  local camera
  for camera in $cameras; do quietly as_web zmdc.pl start zmc -m "${camera%%:*}" || true; done
  cameras_watch
}

package() {
  quietly as_web zmpkg.pl "$1"
  case "$1" in start | restart) cameras_watch ;; esac
}

cameras_watch() {
  local camera
  for camera in $cameras; do
    wait_for 40 camera_is_watching "${camera%%:*}" || { echo "camera $camera did not start" >&2; exit 1; }
  done
}

# --- small things ---------------------------------------------------------------------------------------------------

database() {
  case "$1" in
    stop | start) "$here/services/mariadb.sh" "$1" "$run/database" ;;
    *) refuse "database stop, or database start" ;;
  esac
}

status() {
  as_web zmu -l
  echo
  echo "Configuration $zm_conf with $our_conf, shared memory in $map"
  echo "Users: admin/admin, garage/garage-only (camera 2 only), former/no-longer (disabled)"
}

# The numbers of ZoneMinder 1.36.16 and later; from 1.38 on there is no TAPE.
camera_state() {
  local names=(UNKNOWN IDLE PREALARM ALARM ALERT TAPE) number
  number=$(as_web zmu -m "$1" -s)
  echo "${names[$number]}"
}

zmdc_answers() { as_web zmdc.pl check 2>/dev/null </dev/null | grep -q running; }
camera_is_watching() { case "$(camera_state "$1" 2>/dev/null)" in IDLE | ALARM | ALERT | TAPE) ;; *) return 1 ;; esac; }
no_camera_runs() { ! pgrep -x 'zmdc.pl|zmc' >/dev/null; }
sql() { mariadb --no-defaults --user=root --socket="$socket" "$@"; }
quietly() { "$@" >/dev/null 2>&1 </dev/null; }

# zmdc.pl closes every file descriptor up to the limit one by one, and that limit is a billion in some containers.
as_web() { (ulimit -n 4096; exec runuser -u www-data -- "$@"); }

wait_for() {
  local until=$((SECONDS + $1))
  shift
  until "$@"; do
    if [ "$SECONDS" -ge "$until" ]; then return 1; fi
    sleep 0.2
  done
}

main "$@"
