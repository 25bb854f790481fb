// A Darknet network: layers with their sizes and what they take in.

export interface DarknetNetwork {
  readonly input: Shape;
  readonly layers: readonly DarknetLayer[];
}

export interface Shape {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

export type DarknetLayer = Convolution | MaxPool | Route | Shortcut | Upsample | Yolo;

interface LayerBase {
  /** Of what comes out. */
  readonly shape: Shape;
  /** The layers it takes in, by index; -1 is the picture. */
  readonly from: readonly number[];
}

export interface Convolution extends LayerBase {
  readonly kind: "convolutional";
  readonly size: number;
  readonly stride: readonly [x: number, y: number];
  readonly padding: number;
  readonly dilation: number;
  readonly groups: number;
  readonly hasBatchNorm: boolean;
  readonly activation: Activation;
  readonly inputChannels: number;
}

export interface MaxPool extends LayerBase {
  readonly kind: "maxpool";
  readonly size: number;
  readonly stride: readonly [x: number, y: number];
  /** Both sides together. */
  readonly padding: number;
}

export interface Route extends LayerBase {
  readonly kind: "route";
  /** Of each layer it takes in, only this share of the channels. */
  readonly groups: number;
  readonly groupId: number;
}

export interface Shortcut extends LayerBase {
  readonly kind: "shortcut";
  readonly activation: Activation;
}

export interface Upsample extends LayerBase {
  readonly kind: "upsample";
  readonly stride: number;
}

/** Where boxes come out. */
export interface Yolo extends LayerBase {
  readonly kind: "yolo";
  /** Widths and heights in pixels of the network's input. */
  readonly anchors: readonly (readonly [width: number, height: number])[];
  readonly classes: number;
  readonly scaleXY: number;
  /** The numbers come as they are meant, without logistic and exp (Scaled-YOLOv4). */
  readonly hasNewCoords: boolean;
}

export const ACTIVATIONS = ["linear", "leaky", "relu", "logistic", "mish", "swish"] as const;
export type Activation = (typeof ACTIVATIONS)[number];
