// The `escontrol` message: an administrator mutes monitors, changes settings, or restarts the server.
import type { ControlPanel } from "../control-panel.ts";
import type { EscontrolCommand, EscontrolRequest, Outgoing, Reason } from "../protocol.ts";
import type { CommandContext, Connection } from "./command.ts";

/** Exactly one reply per command: wsclient.py reads one frame after each. */
export async function onEscontrol(
  connection: Connection,
  { message, command }: EscontrolRequest,
  { control, logger }: CommandContext,
): Promise<void> {
  const { panel } = control;
  if (panel === null || !control.isOn()) connection.reply(failed("", "ESCONTROLDISABLED"));
  else if (!connection.isControl || !control.admits(connection))
    connection.reply(failed("command", "NOTCONTROL"));
  else if (command === null) connection.reply(failed("command", "NODATA"));
  else {
    logger.info(`escontrol: ${described(command)}, from ${connection.address}`);
    connection.reply({ ...(await carriedOut(command, panel)), request: message });
    // The goodbye to every client follows the reply on its way.
    if (command.name === "restart") panel.restart();
  }
}

async function carriedOut(command: EscontrolCommand, panel: ControlPanel): Promise<Outgoing> {
  switch (command.name) {
    case "get":
      return { ...done(""), response: panel.read() };
    case "mute":
    case "unmute": {
      const { monitors, minutes } = command;
      if (monitors === "wrong") return badValue("monitors: expected a list of monitor numbers");
      if (minutes === "wrong") return badValue("minutes: expected a number above 0, of ten years at most");
      // As in the original, unmute does not mean "as usual" again: that is what reset is for.
      await panel.order(command.name === "mute" ? "muted" : "forced", monitors, minutes);
      return done("");
    }
    case "edit":
      return edited(command, panel);
    case "restart":
      return done("command");
    case "reset":
      await panel.reset();
      return done("command");
    case "unknown":
      return failed("command", "NOTSUPPORTED");
  }
}

async function edited(
  { key, value }: EscontrolCommand & { readonly name: "edit" },
  panel: ControlPanel,
): Promise<Outgoing> {
  if (value === null) return badValue("val: expected a text, a number, yes or no, or a list");
  const outcome = await panel.edit(key, value);
  if (outcome.done) return done("");
  const { reason, problem, candidates } = outcome;
  const more = candidates.length > 0 ? { candidates } : {};
  return { ...failed("", reason), response: JSON.stringify({ problem, ...more }) };
}

function badValue(problem: string): Outgoing {
  return { ...failed("", "BADVALUE"), response: JSON.stringify({ problem }) };
}

function done(type: "" | "command"): Outgoing {
  return { event: "escontrol", type, status: "Success", reason: "" };
}

function failed(type: "" | "command", reason: Reason): Outgoing {
  return { event: "escontrol", type, status: "Fail", reason };
}

/** For the log; what a setting is changed to is not said, because it may be a password in the wrong place. */
function described(command: EscontrolCommand): string {
  switch (command.name) {
    case "mute":
    case "unmute": {
      const { monitors, minutes } = command;
      if (monitors === "wrong" || minutes === "wrong")
        return `${command.name} (whom or how long is not clear)`;
      const whom = monitors === null ? "all monitors" : `monitors ${monitors.join(", ")}`;
      return `${command.name} ${whom}${minutes === null ? "" : ` for ${minutes} minutes`}`;
    }
    case "edit":
      return /^[a-z_]{1,32}\.?[a-z0-9_]{0,64}$/.test(command.key)
        ? `edit ${command.key}`
        : "edit (a name that is none)";
    default:
      return command.name;
  }
}
