// Structured logging for every room.
import type pino from "pino";

export type Logger = pino.Logger;
