#!/bin/sh
# A hook in sh: tells of alarms whose cause names a zone that matters, and says so.
# Set `event_start_hook: /path/to/hook.sh Front,Drive` in section hook, and `use_hooks: yes` in customize.
#
# Words that stand behind the program in the configuration come first, then what every hook is given:
# event, monitor, name of the monitor, cause, and with hook_pass_image_path the folder of the event.
# Everything may hold blanks, quotes and $(...): keep the quotes around "$cause".
zones=$1
shift
event=$1 monitor=$2 name=$3 cause=$4

# What goes to stderr ends in the log of the server, with the number of the event.
echo "looking at event $event of $name (monitor $monitor)" >&2

old=$IFS
IFS=,
for zone in $zones; do
  case $cause in
    *"$zone"*)
      # Text for people, then JSON for programs. Exit code 0: there is something to see.
      printf '%s--SPLIT--{"labels": ["%s"]}\n' "zone:$zone" "$zone"
      exit 0
      ;;
  esac
done
IFS=$old

# No text, or another exit code: nothing to see. event_start_notify_on_hook_fail decides who is told.
exit 1
