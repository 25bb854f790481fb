#!/usr/bin/env python3
"""A hook in Python: says which picture the event has, and how large it is.

It needs `hook_pass_image_path: yes`, so that it is given the folder of the event.
"""
import json
import os
import sys
import time


def main():
    event, monitor, name, cause = sys.argv[1:5]
    folder = sys.argv[5] if len(sys.argv) > 5 else None
    picture = wait_for(folder)
    if picture is None:
        print(f"event {event} of {name} (monitor {monitor}) has no picture yet", file=sys.stderr)
        return 1
    size = os.path.getsize(picture)
    details = {"labels": ["picture"], "file": os.path.basename(picture), "bytes": size}
    # ensure_ascii keeps the output readable in any locale; json.dumps takes care of every quote.
    print(f"[a] detected:picture {cause}--SPLIT--{json.dumps(details)}")
    return 0


def wait_for(folder, seconds=3):
    """ZoneMinder writes the picture a moment after the alarm."""
    if folder is None:
        return None
    end = time.monotonic() + seconds
    while True:
        for name in ("alarm.jpg", "snapshot.jpg"):
            path = os.path.join(folder, name)
            if os.path.exists(path) and os.path.getsize(path) > 0:
                return path
        if time.monotonic() >= end:
            return None
        time.sleep(0.1)


if __name__ == "__main__":
    sys.exit(main())
