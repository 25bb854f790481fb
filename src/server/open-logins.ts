// The login provider for `auth.enable = no`: everybody is let in and may see everything.
import type { LoginProvider, RightsProvider } from "./login.ts";

/** Accepts every login, empty ones included (iMouseGuard sends an empty user and password). */
export function openLogins(): LoginProvider & RightsProvider {
  return {
    login: async ({ user }) => ({ outcome: "accepted", user, rights: "all" }),
    rightsOf: async (users) => new Map(users.map((user) => [user, "all"])),
  };
}
