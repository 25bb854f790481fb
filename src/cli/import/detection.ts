// What is said of the original's detection scripts: they go on being used, and how the built-in detector replaces them.
import path from "node:path";
import { readTextFile } from "../../config/config-file.ts";
import type { Config } from "../../config/schema.ts";
import { splitCommand } from "../../lib/command-line.ts";
import type { Places } from "./places.ts";
import type { Row } from "./survey.ts";

export interface DetectionFindings {
  readonly rows: readonly Row[];
  /** Lines for the configuration that switch to the built-in detector; empty where no script of the original is used. */
  readonly lines: readonly string[];
  /** Ways of detection in the objectconfig that only the original's scripts know. */
  readonly foreign: readonly string[];
}

/** Never throws. */
export function lookAtDetection(config: Config, places: Places): DetectionFindings {
  const { hook } = config;
  const commands = [hook.event_start_hook, hook.hook_script, hook.event_end_hook];
  const scripts = commands.flatMap((command) =>
    command === null ? [] : (splitCommand(command)?.words ?? []),
  );
  const own = scripts.filter((script) => ORIGINAL_SCRIPTS.has(path.basename(script)));
  const [objectConfig, ...others] = places.objectConfigs;
  if (objectConfig === undefined) return { rows: [], lines: switchLines(own, null), foreign: [] };
  const named = places.named(objectConfig);
  const content = readTextFile(objectConfig);
  const text = content.ok ? withoutComments(content.text) : "";
  const rows = [
    row(named, own.length > 0 ? "" : "no script of the original is a hook"),
    ...others.map((file) => row(places.named(file), `${named} is newer`)),
  ];
  return {
    rows,
    lines: switchLines(own, named),
    foreign:
      own.length === 0 ? [] : ENGINES.filter(([pattern]) => pattern.test(text)).map(([, words]) => words),
  };
}

/** Of versions 1.5 to 7, one by the name that the instructions of 3.2 show; the last four are the programs below the first ones. */
const ORIGINAL_SCRIPTS = new Set([
  "detect_wrapper.sh",
  "person_detect_wrapper.sh",
  "zm_event_start.sh",
  "zm_event_end.sh",
  "zm_detect.py",
  "zm_detect_wrapper.sh",
  "detect.py",
  "detect_hog.py",
  "detect_yolo.py",
]);

const ENGINES: readonly (readonly [RegExp, string])[] = [
  [/coral_edgetpu|face_tpu|edgetpu/i, "Google Coral"],
  [/face_dlib|\bdlib\b|face_detection_framework|known_images_path/i, "faces"],
  [/plate_recognizer|openalpr|open_alpr|alpr_service/i, "number plates"],
  [/aws_rekognition/i, "Amazon Rekognition"],
  [/virelai/i, "Virel"],
  [/birdnet/i, "birds' voices"],
];

function row(where: string, why: string): Row {
  const used = why === "";
  const said = used ? "the original's script reads it, as before" : why;
  return { outcome: used ? "taken" : "not used", what: "objectconfig", where, why: said };
}

function switchLines(own: readonly string[], objectConfig: string | null): readonly string[] {
  if (own.length === 0) return [];
  return [
    `The hook ${own[0] ?? ""} goes on being run, with the Python it needs.`,
    "Where this version of zmes has a detector of its own (`zmes example-config` then shows a section",
    "detection), these lines use that one instead:",
    "",
    "detection:",
    "  enable: yes",
    ...(objectConfig === null ? [] : [`  config: ${objectConfig}`]),
  ];
}

/** The samples of the original explain every way of detection in comments. */
function withoutComments(text: string): string {
  return text.replace(/^\s*[#;].*$/gm, "");
}
