import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { noteLine } from "../../../src/config/objectconfig/object-config.ts";
import { aFolder } from "../temporary-files.ts";
import { noted, parsed, refusal, sample, sampleText, version6 } from "./reading-files.ts";

const YML = "/etc/zm/objectconfig.yml";
/** A file of version 7 with this item as its only model. */
const version7 = (item: string, more = "") =>
  parsed(`ml:\n  ml_sequence:\n    object:\n      sequence:\n        - ${item}\n${more}`, YML);
const why = (config: ReturnType<typeof parsed>, key: string) =>
  config.review().notes.find((note) => note.key === key)?.why;

describe("models", () => {
  it.each([
    ["{ object_weights: /m/a.onnx }", { kind: "onnx", weights: "/m/a.onnx", processor: "cpu" }],
    [
      "{ object_weights: m/a.ONNX, object_processor: gpu }",
      { weights: "/etc/zm/m/a.ONNX", processor: "gpu" },
    ],
    ["{ object_weights: /m/y.weights }", { kind: "darknet", config: "/m/y.cfg", labels: null }],
    ["{ object_framework: hog }", { kind: "hog", stride: [4, 4], scale: 1.05, minWeight: 0.5 }],
    [
      "{ object_framework: command, object_command: \"look --deep '{file}'\", object_timeout: 3 }",
      { kind: "command", argv: ["look", "--deep", "{file}"], timeoutMs: 3000 },
    ],
    [
      "{ object_framework: command, object_command: [/opt/my look, -v] }",
      { kind: "command", argv: ["/opt/my look", "-v"], timeoutMs: 10_000 },
    ],
  ])("%s is one", (item, engine) => {
    expect(version7(item).settingsFor(null).sequence[0]?.models[0]?.engine).toMatchObject(engine);
  });

  it.each([
    ["coral_edgetpu", /Coral/],
    ["face_dlib", /dlib/],
    ["face_tpu", /Coral/],
    ["openalpr", /OpenALPR/],
    ["aws_rekognition", /AWS/],
    ["virelai", /VirelAI/],
    ["birdnet", /sounds/],
  ])("of %s are left out, with the reason and the way out", (framework, reason) => {
    const config = version7(
      `{ object_framework: hog }\n        - { object_framework: ${framework}, object_weights: /m/x.tflite }`,
    );
    expect(config.settingsFor(null).sequence[0]?.models).toHaveLength(1);
    const text = why(config, "ml.ml_sequence.object.sequence[1]");
    expect(text).toMatch(reason);
    expect(text).toMatch(/set the framework to command/);
  });

  it("in other files are left out, and none at all is refused", () => {
    const config = version7("{ object_weights: /m/a.tflite }");
    expect(why(config, "ml.ml_sequence.object.sequence[0]")).toMatch(
      /only models in files .onnx and .weights/,
    );
    expect(refusal(() => config.settingsFor(null))).toMatch(
      /^\/etc\/zm\/objectconfig.yml:2 ml.ml_sequence: none of its models can be used/,
    );
    expect(refusal(() => parsed("[general]\nuse_sequence=no\n").settingsFor(null))).toMatch(
      /it names no model/,
    );
  });

  it("are those of [yolo] in files of version 4 and 5", () => {
    const config = parsed(
      "[general]\nbase_data_path=/d\n[yolo]\nweights={{base_data_path}}/y.weights\nconfig=/c.cfg\n",
    );
    expect(config.settingsFor(null).sequence[0]?.models[0]?.engine).toMatchObject({
      weights: "/d/y.weights",
      config: "/c.cfg",
    });
  });

  it("run on the processor when a TPU is wanted for a model that cannot use it", () => {
    const config = version6("object_processor=tpu");
    expect(config.settingsFor(null).sequence[0]?.models[0]?.engine).toMatchObject({ processor: "cpu" });
    expect(noted(config)).toEqual(["4 general.object_processor"]);
  });
});

describe("a detection server", () => {
  const remote = "ml_gateway=http://192.0.2.7:5000\nml_user=a\nml_password=secretword\n";

  it("speaks as mlapi of an INI file, and gives way to the local model where that is wanted", () => {
    const [group] = version6(`${remote}ml_fallback_local=yes`).settingsFor(null).sequence;
    expect(group?.models).toEqual([
      {
        name: "object",
        engine: {
          kind: "remote",
          protocol: "mlapi",
          url: "http://192.0.2.7:5000",
          user: "a",
          password: "secretword",
          timeoutMs: 5000,
          allowSelfSigned: true,
          fallback: expect.objectContaining({ kind: "onnx", weights: "/m/a.onnx" }),
        },
        minConfidence: 0.4,
        maxDetectionSize: null,
        preExistingLabels: [],
      },
    ]);
  });

  it("speaks as pyzm.serve of a YAML file, alone where no fallback is wanted", () => {
    const config = version7(
      "{ object_weights: /m/a.onnx }",
      "remote:\n  ml_gateway: http://h:5000\n  ml_timeout: 7\n",
    );
    expect(config.settingsFor(null).sequence[0]?.models[0]?.engine).toMatchObject({
      protocol: "pyzm",
      timeoutMs: 7000,
      fallback: null,
    });
    expect(why(config, "remote.ml_gateway")).toMatch(/ml_fallback_local is no/);
    const other = version6(`${remote}ml_gateway_protocol=pyzm`).settingsFor(null);
    expect(other.sequence[0]?.models[0]?.engine).toMatchObject({ protocol: "pyzm" });
  });

  it("looks for everything at once: its answers count when a pattern of any kind matches", () => {
    const item = `{ object_framework: coral_edgetpu }
    face:
      general: { pattern: "anna" }
      sequence:
        - { face_framework: face_dlib }
    general: { model_sequence: "object,face" }`;
    const config = version7(
      item,
      'general:\n  object_detection_pattern: "person"\n  ml_gateway: http://h:5000\n',
    );
    expect(config.settingsFor(null).sequence).toMatchObject([
      {
        type: "object",
        pattern: "(?:person)|(?:anna)",
        models: [{ name: "remote", engine: { fallback: null } }],
      },
    ]);
    expect(noted(config)).toEqual([]);
  });
});

describe("values that cannot be used", () => {
  it.each([
    ["wait=soon", '4 general.wait: "soon" is not a number from 0 to 86400'],
    ["show_percent=maybe", '4 general.show_percent: "maybe" is not yes or no'],
    ["object_min_confidence=30", '4 general.object_min_confidence: "30" is not a number from 0 to 1'],
    ["object_framework=opencw", /object_framework: "opencw" is not opencv, .*; did you mean opencv\?/],
    [
      "object_detection_pattern=(person",
      /object_detection_pattern: "\(person" is no pattern that can be used/,
    ],
    ["max_detection_size=big", /"big" is not an area, such as 90% or 5000px/],
    ["frame_id=first", /it is no picture: use snapshot, alarm/],
    ["poly_color=red", /written as \(blue,green,red\)/],
    ["detection_sequence=object,feet", /it may name object, face, alpr/],
    ["user={{nobody}}\nportal=x", "4 general.user: {{nobody}} names no key of this file"],
    [
      "user={{password}}\npassword={{user}}",
      /\{\{password\}\} goes round in a circle|\{\{user\}\} goes round/,
    ],
    ["user=!ZM_USER", /general.user: it names a secret .*, but secrets names no file/],
  ])("%s is told with line and key", (keys, expected) => {
    const message = refusal(() => version6(keys).settingsFor(null));
    if (typeof expected === "string") expect(message).toBe(`/etc/zm/objectconfig.ini:${expected}`);
    else expect(message).toMatch(expected);
  });

  it("stop only the monitor they are for, and are all told in a review", () => {
    const config = version6("", "[monitor-3]\nporch=1,2 3,4\nporch_zone_detection_pattern=(\nwait=x\n");
    expect(config.settingsFor(4).zones.own).toEqual([]);
    expect(refusal(() => config.settingsFor(3))).toMatch(
      /^\/etc\/zm\/objectconfig.ini:\d+ monitor-3.\S+: .* \(and 2 more\)$/,
    );
    expect(config.review().problems).toHaveLength(3);
  });

  it("are never shown when they are secret", () => {
    const folder = aFolder({ "secrets.ini": "[secrets]\nWAIT=secretword\n" });
    const config = parsed(
      `[general]\nsecrets=${folder}/secrets.ini\nuse_sequence=no\nobject_weights=/a.onnx\nwait=!WAIT\nuser=!ZM_NOPE\nresize=a{{wait}}\n`,
    );
    const { problems } = config.review();
    expect(problems.join("\n")).toMatch(/general.wait: its value is not a number/);
    expect(problems.join("\n")).toMatch(/the secret ZM_NOPE cannot be used: it is not in .*secrets.ini/);
    expect(problems.join("\n")).not.toContain("secretword");
  });

  it.each([
    ["[ml]\nml_sequence={\n  'a': yes\n}\n", "3 ml_sequence, column 8: a word must stand in quotes"],
    ["[ml]\nml_sequence=[1]\n", "2 ml_sequence must be a dictionary"],
    ["what is this\n", "1 expected [section] or key = value"],
  ])("make the whole file unusable where it cannot be read: %j", (text, expected) => {
    const message = refusal(() => parsed(text));
    expect(message).toContain(`/etc/zm/objectconfig.ini:${expected}`);
  });

  it.each([
    ["ml: [\n", /objectconfig.yml:\d/],
    ["- a\n", /expected sections such as "general:"/],
    ["general:\n  wait: 1\n  wait: 2\n", /objectconfig.yml:3 wait is given twice/],
    [
      `a: &a [${"1,".repeat(100)}]\nb: &b [${"*a,".repeat(100)}]\nc: [${"*b,".repeat(100)}]\n`,
      /too deeply here, or are too many/,
    ],
    ["a: &a [*a]\n", /too deeply|not YAML/],
  ])("also in YAML: %j", (text, expected) => {
    expect(refusal(() => parsed(text, YML))).toMatch(expected);
  });
});

describe("keys", () => {
  it("that mean nothing are named, with what was probably meant", () => {
    const config = version6("detekt_pattern=x\nobject_wights=/b\nmy_own=5");
    expect(config.review().notes.map(({ key, value, why: reason }) => `${key}=${value}: ${reason}`)).toEqual([
      "general.detekt_pattern=(defined): it is not known; did you mean detect_pattern?",
      "general.object_wights=(defined): it is not known; did you mean object_weights?",
      "general.my_own=5: it is not known",
    ]);
  });

  it("that a template uses have an effect, whatever they are called", () => {
    const config = version6("my_own=person\nobject_detection_pattern=({{my_own}})");
    expect(config.settingsFor(null).sequence[0]?.pattern).toBe("(person)");
    expect(noted(config)).toEqual([]);
  });

  it("of the old way have none beside ml_sequence, and how they may have one is said", () => {
    const ml =
      "ml_sequence={'object': {'general': {'pattern': 'a'}, 'sequence': [{'object_weights': '/a.onnx'}]}}";
    const config = parsed(`[ml]\n${ml}\n[monitor-1]\nobject_detection_pattern=b\n`);
    expect(config.settingsFor(1).sequence[0]?.pattern).toBe("a");
    expect(why(config, "monitor-1.object_detection_pattern")).toMatch(
      /in them, \{\{object_detection_pattern\}\} stands for it/,
    );
  });

  it("of a monitor may be polygons in percent of the picture", () => {
    const config = version6("", "[monitor-1]\nyard=0%,0% 50.5%,0% 50%,100%\nhalf=0%,0 5,5 6,6\n");
    expect(config.review().problems).toEqual([
      expect.stringMatching(/:7 monitor-1.half: a polygon has three corners/),
    ]);
    const right = version6("", "[monitor-1]\nyard=0%,0% 50.5%,0% 50%,100%\n").settingsFor(1);
    expect(right.zones.own).toMatchObject([
      {
        unit: "percent",
        points: [
          [0, 0],
          [50.5, 0],
          [50, 100],
        ],
      },
    ]);
  });

  it("of a monitor that are no polygons are named", () => {
    const config = version6("", "[monitor-1]\nback_yard=1,2;3,4;5,6\n");
    expect(why(config, "monitor-1.back_yard")).toMatch(/neither a key that is known nor a polygon/);
  });

  it("that are set to nothing are as good as not there, but for resize, which is off then", () => {
    expect(version6("max_detection_size=\nresize=").settingsFor(null)).toMatchObject({
      frames: { resizeWidth: null },
      sequence: [{ maxDetectionSize: null }],
    });
    const old = (resize: string) =>
      parsed(`[general]\n${resize}\n[yolo]\nweights=/y.weights\n`).settingsFor(null).frames;
    expect([old("resize=").resizeWidth, old("").resizeWidth]).toEqual([null, 800]);
  });

  it("of a section that is no monitor's are named", () => {
    const config = version6("", "[monitor-x]\na=1,2 3,4 5,6\n");
    expect(config.review().notes).toMatchObject([
      { line: 5, why: expect.stringMatching(/names no monitor/) },
    ]);
  });

  it("may be set above the file", () => {
    const config = sample("v7.yml");
    const settings = config.settingsFor(3, {
      overrides: [
        "ml.ml_sequence.object.sequence[ONNX].object_min_confidence=0.9",
        "general.wait=9",
        "stream_sequence.frame_set=[alarm]",
        "zones.Gate.coords=1,1 5,1 5,5",
      ],
    });
    expect(settings).toMatchObject({
      frames: { waitMs: 9000, frameSet: ["alarm"] },
      sequence: [{ models: [{ minConfidence: 0.9 }] }],
    });
    expect(settings.zones.own.map(({ name }) => name)).toEqual(["Porch", "street", "Gate"]);
    expect(config.settingsFor(3).frames.waitMs).toBe(4000);
  });

  it.each([
    ["wait", /--override: an override is written as path=value/],
    ["a..b=1", /--override: its path cannot be read/],
    ["ml_sequence.object.sequence[7].name=x", /ml_sequence.object.sequence has no \[7\]; it has 1 in it/],
    ["ml_sequence.object.sequence.name=x", /has no key name; it is a list/],
    ["wait.x=1", /wait has no key x; it is a single value/],
    ["general.wait=secretword", /wait: "secretword" is not a number/],
  ])("are refused above the file where nothing can be set: %s", (override, expected) => {
    expect(refusal(() => sample("v7.yml").settingsFor(null, { overrides: [override] }))).toMatch(expected);
  });

  it("are refused above the file where anchors make them endless", () => {
    const tenTimes = (text: string) => `[${`${text},`.repeat(10)}]`;
    const anchors = [..."bcdefghi"].map((name, index) => `&${name} ${tenTimes(`*${"abcdefgh"[index]}`)}`);
    const override = `general.wait=[&a ${tenTimes("1")},${anchors.join()}]`;
    expect(refusal(() => sample("v7.yml").settingsFor(null, { overrides: [override] }))).toMatch(
      /not a number/,
    );
  });
});

it("no text throws anything but what is for the operator", () => {
  const pieces = fc.constantFrom(
    "[general]\n",
    "[ml]\n",
    "[monitor-1]\n",
    "general:\n",
    "ml:\n",
    "monitors:\n  1:\n",
    "  ",
    "    ",
    "- ",
    "ml_sequence",
    "stream_sequence",
    "use_sequence",
    "object",
    "sequence",
    "general",
    "wait",
    "frame_set",
    "zones",
    "object_weights",
    "object_framework",
    "aliases",
    "poly_color",
    "platerec_config",
    "ml_gateway",
    "secrets",
    "=",
    ": ",
    "\n",
    "{",
    "}",
    "[",
    "]",
    ",",
    "'",
    '"',
    "{{wait}}",
    "$" + "{wait}",
    "!A",
    "yes",
    "no",
    "5",
    "1,2 3,4 5,6",
    "command",
    "hog",
    "/a.onnx",
    "&a ",
    "*a",
    "<<: ",
    "#",
    "5%",
    "(",
    "bestmatch",
  );
  const text = fc.oneof(
    fc.string(),
    fc.array(pieces, { maxLength: 80 }).map((all) => all.join("")),
  );
  fc.assert(
    fc.property(text, fc.constantFrom("/x/a.ini", "/x/a.yml", "/x/a"), text, (content, path, override) => {
      refusal(() => {
        const config = parsed(content, path);
        config.review();
        for (const monitor of [null, 1]) {
          refusal(() => config.settingsFor(monitor));
          refusal(() => config.settingsFor(monitor, { overrides: [override], engine: "hog" }));
        }
      });
    }),
    { numRuns: 3000 },
  );
});

it("no damaged sample throws anything but what is for the operator, or shows a secret", () => {
  const files = ["v3.2.ini", "v6.ini", "v6-old-keys.ini", "v7.yml"].map((name) => ({
    name,
    ...sampleText(name),
  }));
  const piece = fc.constantFrom(
    "",
    "{",
    "}",
    "'",
    '"',
    ",",
    ":",
    "=",
    "\n",
    "[",
    "]",
    "#",
    "!A",
    "{{a}}",
    "no",
    "x",
    "1",
  );
  fc.assert(
    fc.property(
      fc.constantFrom(...files),
      fc.nat(),
      fc.nat(30),
      piece,
      ({ path, text }, from, length, inserted) => {
        const start = from % text.length;
        const damaged = text.slice(0, start) + inserted + text.slice(start + length);
        const said: string[] = [];
        said.push(
          refusal(() => {
            const config = parsed(damaged, path);
            const { problems, notes } = config.review();
            said.push(...problems, ...notes.map(noteLine));
            for (const monitor of [null, 3]) said.push(refusal(() => config.settingsFor(monitor)));
          }),
        );
        expect(said.join("\n")).not.toMatch(/hunter2|abc123|ml-word/);
      },
    ),
    { numRuns: 1500 },
  );
});
