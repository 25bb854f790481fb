#!/bin/sh
# A user script: is run after the hook has answered, with what the hook said. People do not wait for it.
# Set it in event_start_hook_notify_userscript or event_end_hook_notify_userscript.
# Given: result of the hook (0: something was found), event, monitor, name, text of the hook, JSON of the hook,
# and with hook_pass_image_path the folder of the event.
result=$1 event=$2 monitor=$3 name=$4 text=$5 json=$6

printf '%s event %s of %s (monitor %s), result %s: %s %s\n' \
  "$(date '+%F %T')" "$event" "$name" "$monitor" "$result" "$text" "$json" \
  >>"${ZMES_EXAMPLE_LOG:-/tmp/zmes-user-script.log}"
