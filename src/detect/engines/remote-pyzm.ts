// The protocol of pyzm.serve, the detection server of version 7.
import { readMatched } from "./matched.ts";
import type { RemoteProtocol } from "./remote-server.ts";

export const pyzm: RemoteProtocol = {
  name: "pyzm.serve",
  loginPath: "/login",
  detectPath: "/detect",
  base: (url) => url,
  needsLogin: false,
  read: (answer, frame) => readMatched(answer, frame.size),
  hint: (status) =>
    status === 404 ? "is it pyzm.serve, and is ml_gateway its address without a path?" : null,
};
