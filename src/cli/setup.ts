// `zmes setup`: from nothing to a server that can start, with few questions.
import { existsSync, linkSync, readFileSync } from "node:fs";
import path from "node:path";
import { readServiceAccount } from "../channels/fcm/account.ts";
import { loadConfig } from "../config/load.ts";
import { AppError, reasonOf, systemCode } from "../lib/errors.ts";
import { type Command, type CommandIo, EXIT, refuseUsage } from "./command.ts";
import { hasSystemd } from "./doctor/subject.ts";
import { examine } from "./doctor.ts";
import { findOriginals } from "./import/places.ts";
import { type Certified, ownPaths, provideCertificate } from "./setup/certificate.ts";
import { configText, SECRETS, secretsText } from "./setup/config-text.ts";
import { factsOf, findCertificates } from "./setup/found.ts";
import { ownNames, tidyName } from "./setup/names.ts";
import { offerImport } from "./setup/offer-import.ts";
import { notUsed, readSetupOptions, type SetupOptions, setupOptionsHelp } from "./setup/options.ts";
import type { OwnedFiles } from "./setup/owned-files.ts";
import { detectionPage, phonePage, type Server, startPage, trustPage } from "./setup/pages.ts";
import { jobOf, lookAround, type Place, USUAL_DATA, USUAL_ZM_CONF } from "./setup/place.ts";
import { makePlan, type Plan, type PushPlan } from "./setup/plan.ts";
import { Abandoned, noQuestions, type Questions, terminalQuestions } from "./setup/questions.ts";
import { asTyped, typedName } from "./typed-name.ts";

export const setup: Command = {
  name: "setup",
  summary: "write the configuration and make a certificate, with few questions",
  usage: "setup [--yes] [--name NAME]... [OPTIONS]",
  options: setupOptionsHelp,
  notes: [
    "Run it as root: the files belong to ZoneMinder's user and to root. Run twice it changes nothing that is there; all questions come before the first change.",
    "The exit code is 0 when the server can be started; what `zmes doctor` finds at the end does not change it.",
  ],
  async run(argv, io) {
    const options = readSetupOptions(argv);
    if (typeof options === "string") return refuseUsage(io, "setup", options);
    const questions = options.yes || options.renew ? noQuestions() : terminalQuestions(io);
    if (questions === null)
      return refuseUsage(io, "setup", "there is no terminal to ask on: --yes takes what would be offered.");
    try {
      const doctor = (configPath: string | null) =>
        examine({ configPath, url: null, login: null, json: false }, io);
      return await setUp({ options, questions, root: "/", doctor }, io);
    } catch (failure) {
      if (failure instanceof Abandoned) io.stderr.write("\nNothing was changed.\n");
      else {
        const { message, code, hint } = told(failure);
        io.stderr.write(`zmes setup: ${message} [${code}]\n${asTyped(hint, typedName(io.env))}\n`);
      }
      return EXIT.failed;
    }
  },
};

/** A full disk, a read-only mount: what the system says. Anything else is a fault of the program and goes on. */
function told(failure: unknown): AppError {
  if (failure instanceof AppError) return failure;
  if (systemCode(failure) === null) throw failure;
  const path = failure instanceof Error && "path" in failure ? String(failure.path) : "A file";
  return new AppError("SETUP_UNWRITABLE", { path, problem: reasonOf(failure) }, failure);
}

export interface SetupRequest {
  readonly options: SetupOptions;
  readonly questions: Questions;
  /** "/", or another one in tests: where ZoneMinder, an original and certificates are looked for. */
  readonly root: string;
  /** Looks at what was set up with this configuration, and prints what it finds. */
  readonly doctor: (configPath: string | null) => Promise<number>;
}

/**
 * Throws Abandoned before anything was changed, AppErrors, and what the system says of files. From the first change on
 * Ctrl-C does not cut it short: the key of an authority lies in a temporary folder for a moment, and files belong together.
 */
export async function setUp(
  { options, questions, root, doctor }: SetupRequest,
  io: CommandIo,
): Promise<number> {
  const place = await lookAround(options, root, io);
  const finish = (config: string | null) => lookAgain(place, config, doctor, io);
  if (options.renew) {
    io.stopSignal();
    return await renewCertificate(place, options, io);
  }
  const isThere = existsSync(place.target);
  const writeAnew =
    options.force || (isThere && (await questions.yes(`${place.target} is there. Write it anew?`, false)));
  if (isThere && !writeAnew) {
    io.stdout.write(
      `${place.target} is there and stays as it is; --force writes it anew and keeps a copy.\n${notUsed(options, place.target)}`,
    );
    io.stdout.write(phonePage(knownServer(place.target, io)));
    return await finish(place.target);
  }
  const originals = isThere ? [] : findOriginals(root);
  if (originals.length > 0) {
    const detection = options.detection === true;
    const offer = { files: originals, target: place.target, root, ownedFiles: place.files, detection };
    const answer = await offerImport({ ...offer, questions, io });
    const config = answer === "imported" ? place.target : (originals[0] ?? null);
    if (answer !== "anew") {
      io.stdout.write(notUsed(options, config ?? place.target));
      io.stdout.write(phonePage(knownServer(config, io)));
      return await finish(config);
    }
  }
  const found = findCertificates(root, io.clock.now());
  const plan = await makePlan({ wishes: options, ownNames: ownNames(), found, questions });
  const stop = io.stopSignal();
  const server = await carryOut(plan, place, options, io);
  if (stop.aborted) {
    io.stderr.write("Interrupted. What is written stays; run it again for the rest.\n");
    return EXIT.failed;
  }
  io.stdout.write(
    `${trustPage(server.certified, server)}${phonePage(server)}${asTyped(detectionPage(plan.detection), typedName(io.env))}`,
  );
  return await finish(place.target);
}

interface SetServer extends Server {
  readonly certified: Certified;
}

async function carryOut(plan: Plan, place: Place, options: SetupOptions, io: CommandIo): Promise<SetServer> {
  const { target, data, files } = place;
  const configFolder = path.dirname(target);
  if (plan.push.kind === "direct") await readServiceAccount(plan.push.file);
  files.folder(configFolder, "world");
  files.folder(data, "server");
  files.folder(path.join(data, "push"), "server");
  const certified = await provideCertificate(plan.certificate, {
    ...jobOf(place, io),
    names: plan.names,
    renew: false,
    anew: false,
  });
  const { serviceAccount, relay } = await providePush(plan.push, configFolder, files);
  const secrets = secretsText({
    [SECRETS.relayKey]: relay?.key ?? "",
    [SECRETS.mqttUser]: plan.mqtt?.username ?? "",
    [SECRETS.mqttPassword]: plan.mqtt?.password ?? "",
  });
  const secretsFile = path.join(configFolder, "zmes-secrets.yml");
  if (secrets !== null) files.write(secretsFile, secrets, "group");
  const server = { names: plan.names, port: options.port ?? 9000, isTls: certified.ssl !== null };
  const isPublic = plan.certificate.kind === "found" && plan.certificate.isPublic;
  const text = configText({
    zmConf: place.zmConf === null || place.zmConf === USUAL_ZM_CONF ? null : place.zmConf,
    dataDirectory: data === USUAL_DATA ? null : data,
    port: options.port,
    ssl: certified.ssl,
    publicUrl: isPublic ? `https://${plan.names[0]}:${server.port}` : null,
    serviceAccount,
    relayUrl: relay?.url ?? null,
    mqtt: plan.mqtt === null ? null : { server: plan.mqtt.server, hasLogin: plan.mqtt.username !== "" },
    detection: plan.detection,
    secrets: secrets === null ? null : secretsFile,
  });
  if (existsSync(target)) io.stdout.write(`The configuration before is kept as ${keepBefore(target)}.\n`);
  files.write(target, text, "group");
  io.stdout.write(`${target} is written.\n`);
  return { ...server, certified };
}

/** A key file that the server may not read is copied to where it may. */
async function providePush(push: PushPlan, folder: string, files: OwnedFiles) {
  if (push.kind === "later") return { serviceAccount: null, relay: null };
  if (push.kind === "relay") return { serviceAccount: null, relay: push };
  if (await files.serverReads(push.file)) return { serviceAccount: push.file, relay: null };
  const copy = path.join(folder, "zmes-firebase.json");
  files.write(copy, readFileSync(push.file), "group");
  return { serviceAccount: copy, relay: null };
}

/** Under a free name beside it: a second name, so that at no moment there is no configuration. */
function keepBefore(target: string): string {
  for (let number = 1; ; number++) {
    const aside = `${target}.before-setup${number === 1 ? "" : `-${number}`}`;
    if (existsSync(aside)) continue;
    linkSync(target, aside);
    return aside;
  }
}

/** New certificates for the names that the one in use has, and for those that --name adds. */
async function renewCertificate(place: Place, options: SetupOptions, io: CommandIo): Promise<number> {
  const loaded = loadConfig({ path: options.config === null ? null : place.target, env: io.env });
  const { ssl, network } = loaded.config;
  const known = ssl.cert === null ? [] : namesOf(ssl.cert);
  const added = options.names ?? (known.length > 0 ? [] : ownNames());
  const names = [...new Set([...known, ...added])];
  const certified = await provideCertificate(
    { kind: "own" },
    {
      ...jobOf(place, io),
      names,
      renew: true,
      anew: options.anew,
    },
  );
  const made = ownPaths(path.dirname(place.target), place.data);
  io.stdout.write(`A certificate for ${names.join(", ")} is in ${made.cert}.\n`);
  if (ssl.cert !== made.cert || ssl.key !== made.key)
    io.stdout.write(
      `To use it, write into section ssl of ${loaded.source.path}:\n  cert: ${made.cert}\n  key: ${made.key}\n`,
    );
  else io.stdout.write("A running server takes it up within a minute.\n");
  const server = { names, port: network.port, isTls: true };
  io.stdout.write(`${trustPage(certified, server)}${phonePage(server)}`);
  return EXIT.ok;
}

/** As the configuration that is there has it, under the names of its certificate. */
function knownServer(file: string | null, io: CommandIo): Server {
  const { ssl, network } = loadConfig({ path: file, env: io.env }).config;
  const known = ssl.enable && ssl.cert !== null ? namesOf(ssl.cert) : [];
  return { names: known.length > 0 ? known : ownNames(), port: network.port, isTls: ssl.enable };
}

/** The common name stands in where a certificate has no other. */
function namesOf(cert: string): readonly string[] {
  const facts = factsOf(cert);
  if (facts === null) return [];
  const named = facts.names.length > 0 ? facts.names : [facts.commonName];
  return named.flatMap((name) => tidyName(name) ?? []);
}

/** `config`: what the server will read. */
async function lookAgain(
  { data, files }: Place,
  config: string | null,
  doctor: SetupRequest["doctor"],
  io: CommandIo,
): Promise<number> {
  files.folder(data, "server");
  files.folder(path.join(data, "push"), "server");
  io.stdout.write(`${asTyped(startPage(hasSystemd()), typedName(io.env))}\nzmes doctor says:\n\n`);
  const stop = io.stopSignal();
  const stopped = new Promise<void>((resolve) => stop.addEventListener("abort", () => resolve()));
  await Promise.race([doctor(config), stopped]);
  return EXIT.ok;
}
