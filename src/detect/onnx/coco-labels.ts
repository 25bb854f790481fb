// The labels of COCO, with which nearly all published detectors are trained, for models that do not name theirs.

/** The 80 labels in use, in Ultralytics' order and spelling. */
const COCO_80: readonly string[] = [
  "person,bicycle,car,motorcycle,airplane,bus,train,truck,boat,traffic light,fire hydrant,stop sign,parking meter,bench",
  "bird,cat,dog,horse,sheep,cow,elephant,bear,zebra,giraffe,backpack,umbrella,handbag,tie,suitcase,frisbee,skis,snowboard",
  "sports ball,kite,baseball bat,baseball glove,skateboard,surfboard,tennis racket,bottle,wine glass,cup,fork,knife,spoon",
  "bowl,banana,apple,sandwich,orange,broccoli,carrot,hot dog,pizza,donut,cake,chair,couch,potted plant,bed,dining table",
  "toilet,tv,laptop,mouse,remote,keyboard,cell phone,microwave,oven,toaster,sink,refrigerator,book,clock,vase,scissors",
  "teddy bear,hair drier,toothbrush",
].flatMap((line) => line.split(","));

/** Numbers of COCO's list that were never used; 0 is the background. */
const UNUSED = new Set([0, 12, 26, 29, 30, 45, 66, 68, 69, 71, 83]);

/** By COCO's own numbers, 0 to 90; numbers that are not in use have an empty label. */
const COCO_91: readonly string[] = numbered();

/** The labels of a model with that many classes; null when it is not trained with COCO. */
export function cocoLabels(count: number): readonly string[] | null {
  if (count === COCO_80.length) return COCO_80;
  if (count === COCO_91.length) return COCO_91;
  // Without the background.
  return count === COCO_91.length - 1 ? COCO_91.slice(1) : null;
}

function numbered(): string[] {
  const labels = COCO_80.values();
  return Array.from({ length: 91 }, (_, number) => (UNUSED.has(number) ? "" : (labels.next().value ?? "")));
}
