// Why a key of an objectconfig file has no effect here, for each that the originals had; of any other, what was meant.
import { nearest } from "../words.ts";
import type { ObjectConfigFile } from "./read-file.ts";

/** The way out of everything that only Python or special hardware can. */
export const COMMAND_WAY_OUT =
  "a program that prints what zm_detect.py prints can do it: set the framework to command, and name the program";

/** By the path as it is, sections and all. `mayGuess`: of a key that is not known, what was probably meant is said too. */
export function reasonFor(
  path: string,
  file: Pick<ObjectConfigFile, "version" | "values">,
  mayGuess: boolean,
): string {
  const key = path.slice(path.lastIndexOf(".") + 1);
  if (path.startsWith("push."))
    return "zmes itself sends notices: see the section push of its own configuration";
  const known = REASONS.find(([pattern]) => pattern.test(key));
  if (known !== undefined) return known[1];
  if (/(^|\.)(face|alpr|audio)$/.test(path) && path.includes("ml_sequence"))
    return "model_sequence does not name it";
  const old = file.version === 6 ? ofOtherWay(key, file) : null;
  if (old !== null) return old;
  if (/\.sequence\[\d+\]\.\w+_config$/.test(path))
    return "only Darknet's .weights have a configuration beside them";
  if (KNOWN.has(key))
    return "it has no effect at this place; another value of it counts, or the part that would need it is off";
  const meant = mayGuess ? nearest(key, KNOWN) : null;
  if (path.startsWith("monitor-") && meant === null)
    return 'it is neither a key that is known nor a polygon, "x,y x,y x,y"';
  return `it is not known${meant === null ? "" : `; did you mean ${meant}?`}`;
}

/** False for typing errors and one's own: what the value of such a key is, and whether it is secret, nobody knows. */
export function isKnownKey(key: string): boolean {
  return (
    KNOWN.has(key) ||
    REASONS.some(([pattern]) => pattern.test(key)) ||
    /_(max_detection_size|past_det_max_diff_area|zone_detection_pattern)$/.test(key)
  );
}

/** With use_sequence there are two ways to say everything, and one of them counts. */
function ofOtherWay(key: string, { values }: Pick<ObjectConfigFile, "values">): string | null {
  const usesSequence = !/^(no|0|false|off)$/i.test(values.get("use_sequence")?.text ?? "yes");
  if (!usesSequence && /^(ml|stream)_sequence$/.test(key))
    return "use_sequence is no, so the single keys count";
  if (usesSequence && values.has("ml_sequence") && OLD_WAY.test(key))
    return `ml_sequence and stream_sequence count instead (use_sequence); in them, {{${key}}} stands for it`;
  return null;
}

const OLD_WAY =
  /^((object|face|alpr|platerec|openalpr)_\w+|detection_sequence|frame_id|bestmatch_order|resize)$/;

const NO_LOCKS = "one resident detector looks at one event after the other: nothing has to be locked";
const NO_FILES = "pictures are read where ZoneMinder has them: nothing is downloaded, kept or deleted";
const NO_VIDEO_SCAN =
  "frame_set names the pictures that are looked at; a video is not searched from end to end";
const FACES = `faces are not recognized by zmes itself; ${COMMAND_WAY_OUT} in face_command`;
const PLATES = `of plate readers, zmes asks Plate Recognizer; for others, ${COMMAND_WAY_OUT} in alpr_command`;

const REASONS: readonly (readonly [RegExp, string])[] = [
  [/^((cpu|gpu|tpu)_)?max_(processes|lock_wait)$|^disable_locks$/, NO_LOCKS],
  [
    /^pyzm_overrides$/,
    "it is for pyzm, which is not used; logging is set in the section logging of zmes' own configuration",
  ],
  [/^log_level$/, "logging is set in the section logging of zmes' own configuration"],
  [/^version$/, "the version of the file is told by its other keys"],
  [
    /^(delete_after_analyze|download|download_dir|save_frames|save_frames_dir|save_analyzed_frames)$/,
    NO_FILES,
  ],
  [/^image_path$/, `${NO_FILES}; it is the folder for debug pictures when write_debug_image is yes`],
  [/^(start_frame|frame_skip)$/, NO_VIDEO_SCAN],
  [/^(detection_mode|strategy)$/, "it had no effect in version 6 either; frame_strategy chooses the picture"],
  [
    /^basic_(user|password)$/,
    "pictures are read from the disk; a portal behind basic authentication is not supported",
  ],
  [/^tag_detected_objects$/, "it is hook.tag_detected_objects in zmes' own configuration"],
  [
    /^max_size$/,
    "pictures are made smaller for all models alike, with resize in stream_sequence (version 7 took it for max_detection_size by mistake)",
  ],
  [/^ml_gateway_mode$/, "the picture is always sent, so that objdetect.jpg can be written"],
  [/^platerec_stats$/, "the statistics of Plate Recognizer are not asked for"],
  [/^alpr_api_type$/, "alpr_url alone says where the reader is"],
  [
    /^(face_(model|train_model|num_jitters|upsample_times|recog\w*|recognition_framework)|known_images_path|unknown_\w+|save_unknown_faces\w*)$/,
    FACES,
  ],
  [
    /^ml_(user|password|timeout|fallback_local|gateway_protocol)$/,
    "it is needed with ml_gateway only, which is not set",
  ],
  [/^(animation_\w+|fast_gif)$/, "it is needed with create_animation only, which is not yes"],
  [/^openalpr_\w+$/, PLATES],
  [/^aws_\w+$/, `AWS Rekognition is not asked by zmes itself; ${COMMAND_WAY_OUT}`],
  [/^birdnet_\w+$/, "sounds are not analyzed"],
];

/** Every key that has an effect somewhere: what is not among them is a typing error, or something of one's own. */
const KNOWN: ReadonlySet<string> = new Set(
  `secrets base_data_path portal api_portal user password allow_self_signed image_path wait show_percent show_models
  show_frame_match_type write_image_to_zm write_debug_image import_zm_zones only_triggered_zm_zones poly_color
  poly_thickness match_past_detections past_det_max_diff_area max_detection_size ignore_past_detection_labels aliases
  frame_id bestmatch_order resize use_sequence ml_sequence stream_sequence detection_sequence create_animation
  animation_types animation_width animation_retry_sleep animation_max_tries fast_gif ml_gateway ml_gateway_protocol
  ml_fallback_local ml_user ml_password ml_timeout general object face alpr sequence model_sequence frame_strategy
  same_model_sequence_strategy pattern pre_existing_labels name enabled model_width model_height model_layout
  object_framework object_processor object_weights object_config object_labels object_min_confidence
  object_detection_pattern object_command object_timeout face_framework face_detection_framework face_weights face_config
  face_labels face_min_confidence face_processor face_detection_pattern face_command face_timeout alpr_framework
  alpr_service alpr_url alpr_key alpr_detection_pattern alpr_use_after_detection_only alpr_weights alpr_config alpr_labels
  alpr_min_confidence alpr_processor alpr_command alpr_timeout platerec_payload platerec_config platerec_regions
  platerec_min_dscore platerec_min_score frame_set delay delay_between_frames delay_between_snapshots max_attempts
  sleep_between_attempts contig_frames_before_error max_frames convert_snapshot_to_fid zones coords detection_pattern
  ignore_pattern detect_pattern write_bounding_boxes config weights labels stride padding scale mean_shift`.split(
    /\s+/,
  ),
);
