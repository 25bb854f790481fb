// Section "detection": what the built-in detector looks for, with what, and how much of the machine it may take.
import { z } from "zod";
import { autoOrNumber, choice, flag, number, optionalText, text } from "../fields.ts";

export const detection = z
  .strictObject({
    enable: flag(false, {
      about:
        "Whether the built-in detector looks at each alarm before it is told, in place of event_start_hook and hook_script.",
      since: "8",
    }),
    at_end: flag(false, {
      about: "Whether it looks again when the event ends, in place of event_end_hook.",
      since: "8",
    }),
    serve_commands: flag(true, {
      about:
        "Whether commands on this machine get the detector that runs here, through detector.sock in the data directory. It starts when the first one asks.",
      since: "8",
    }),
    config: optionalText(
      {
        about:
          "objectconfig.ini or objectconfig.yml of the original. Not set: the keys below are all there is. Set: what they have in common is taken from that file.",
        since: "8",
        example: "/etc/zm/objectconfig.yml",
      },
      "file",
    ),
    engine: choice(["auto", "onnx", "darknet", "hog"], "auto", {
      about:
        "What finds things. auto: by the model's file; without a model OpenCV's people detector (hog), which needs none.",
      since: "8",
    }),
    model: optionalText(
      {
        about:
          "File of the model (.onnx, or .weights of Darknet), or its name in the folder models of the data directory. Not set: the one model in that folder, if it is exactly one.",
        since: "8",
        example: "yolo11n.onnx",
      },
      "file",
    ),
    model_config: optionalText(
      {
        about:
          "The .cfg that belongs to .weights of Darknet. Not set: the file beside it with the same name.",
        since: "8",
        example: "/var/lib/zmeventnotification/models/yolov4.cfg",
      },
      "file",
    ),
    model_layout: optionalText({
      about: "Layout of a model that cannot be told from its file; zmes models says when it is needed.",
      since: "8",
      example: "yolox",
    }),
    labels: optionalText(
      {
        about: "File with the model's labels, one per line. Not set: those in the model.",
        since: "8",
        example: "/var/lib/zmeventnotification/models/coco.names",
      },
      "file",
    ),
    processor: choice(["cpu", "gpu"], "cpu", {
      about: "Where models run. With gpu, CUDA when it is there, otherwise the CPU.",
      since: "8",
    }),
    pattern: text("(person|car|motorcycle|bus|truck|boat)", {
      about: "Labels that count: a regular expression that must match from the label's beginning.",
      since: "8",
    }),
    min_confidence: number(
      30,
      { min: 0, max: 100 },
      { about: "Percent of certainty from which something counts.", since: "8" },
    ),
    hog_min_weight: number(
      70,
      { min: 0, max: 100 },
      {
        about:
          "What OpenCV's people detector is less sure of, in hundredths of its weight, is left out. People in full view are mostly above 70, wrong answers below 60.",
        since: "8",
      },
    ),
    max_detection_size: number(
      100,
      { min: 1, max: 100 },
      { about: "Percent of the picture's area; anything bigger does not count. 100: no limit.", since: "8" },
    ),
    frame_set: text("snapshot,alarm", {
      about: "Pictures of the event that are looked at: snapshot, alarm or numbers of frames.",
      since: "8",
    }),
    resize: number(
      0,
      { min: 0, max: 16_384 },
      { about: "Pictures that are wider are made so wide before anything else; 0: never.", since: "8" },
    ),
    wait: number(
      0,
      { min: 0, max: 300 },
      { about: "Seconds between the alarm and the look at its pictures.", since: "8" },
    ),
    import_zm_zones: flag(false, {
      about: "Whether only what is in a zone of ZoneMinder counts.",
      since: "8",
    }),
    only_triggered_zm_zones: flag(false, {
      about: "Whether only what is in a zone that the alarm's cause names counts.",
      since: "8",
    }),
    zone_rule: choice(["touches", "bottom_center"], "touches", {
      about:
        "When something is in a zone: its box touches it, as in the original, or the middle of its lower edge lies in it.",
      since: "8",
    }),
    zone_min_overlap: number(
      0,
      { min: 0, max: 100 },
      { about: "Percent of a box that must lie in the zone; 0: any part.", since: "8" },
    ),
    match_past_detections: flag(false, {
      about:
        "Whether what was at the same place in the event before does not count again, such as a parked car.",
      since: "8",
    }),
    past_det_max_diff_area: number(
      5,
      { min: 0, max: 100 },
      { about: "Percent of its area by which it may differ and still be the same.", since: "8" },
    ),
    show_percent: flag(false, { about: "Whether the text says how certain each find is.", since: "8" }),
    write_image_to_zm: flag(true, {
      about: "Whether objdetect.jpg and objects.json are written into the event's folder.",
      since: "8",
    }),
    threads: autoOrNumber(
      { min: 1, max: 64 },
      {
        about:
          "Threads of one look; auto: half of the processor cores, at most 2. ZoneMinder needs the others.",
        since: "8",
      },
    ),
    niceness: number(
      10,
      { min: 0, max: 19 },
      {
        about: "How far the detector stands back behind other programs; 19: as far as possible.",
        since: "8",
      },
    ),
    deadline: number(
      15,
      { min: 1, max: 600 },
      {
        about:
          "Seconds for one event, from its turn on. Then the detector is killed and started again, and the alarm is told without it. Waiting for pictures counts.",
        since: "8",
      },
    ),
    max_waiting: number(
      50,
      { min: 1, max: 10_000 },
      {
        about:
          "How many events may wait for the detector. Beyond it, an older event of the same camera gives way, and is told without it.",
        since: "8",
      },
    ),
    idle_unload: number(
      0,
      { min: 0, max: 604_800 },
      {
        about: "Seconds without work after which the detector ends and gives its memory back; 0: never.",
        since: "8",
      },
    ),
  })
  .describe("The built-in detector: what is in the picture.");
