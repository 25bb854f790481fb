// Ends with 0 while the server in this container watches: /healthz over TLS, or without. ZMES_PORT when it is not 9000.
import { get as getPlain } from "node:http";
import { get as getSecure } from "node:https";

const port = process.env.ZMES_PORT || "9000";

/** The certificate names the outside of the container; here only the answer counts. */
const options = { host: "127.0.0.1", port, path: "/healthz", timeout: 4000, rejectUnauthorized: false };

function isHealthy(get) {
  return new Promise((resolve) => {
    const request = get(options, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on("timeout", () => request.destroy());
    request.on("error", () => resolve(false));
  });
}

process.exit((await isHealthy(getSecure)) || (await isHealthy(getPlain)) ? 0 : 1);
