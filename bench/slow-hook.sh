#!/bin/sh
# A hook that takes as long as a quick detector on another machine, and finds somebody every time.
sleep 0.2
echo "detected:person:97%"
