#!/usr/bin/env node
// A hook in JavaScript: asks a detector over HTTP about the event and tells what it found.
// Set `event_start_hook: /path/to/hook.mjs http://127.0.0.1:5000/detect` in section hook.
const [url, event, monitor, name, cause, folder] = process.argv.slice(2);

try {
  const answer = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ event, monitor, name, cause, folder }),
    // Shorter than hook.timeout, so that a detector that hangs is said here.
    signal: AbortSignal.timeout(30_000),
  });
  const { labels = [] } = await answer.json();
  if (labels.length === 0) process.exitCode = 1;
  else process.stdout.write(`detected:${labels.join(",")}--SPLIT--${JSON.stringify({ labels })}\n`);
} catch (failure) {
  process.stderr.write(`the detector did not answer: ${failure.message}\n`);
  process.exitCode = 1;
}
