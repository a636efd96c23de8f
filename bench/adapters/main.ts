// `npm run bench:adapters`: Homing's maps beside PostSRSd, and Postfix with Homing's milter beside Postfix alone, in one run.
// What is measured, and how: docs/benchmarks.md.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { storiesNeed } from "../../test/harness/availability.ts";
import { freePort } from "../../test/harness/free-port.ts";
import { createAccount } from "../mta/account.ts";
import { makeRunFolder } from "../mta/folder.ts";
import { thisMachine } from "../mta/machine.ts";
import { startPostSrsd } from "../mta/postfix-peer.ts";
import { socketIn, startHomingAdapter } from "./homing-adapter.ts";
import { firstAnswer, SOCKETMAP, TCP_TABLE } from "./look-ups.ts";
import { type AdaptersOptions, parseAdaptersOptions } from "./options.ts";
import { startPostfixTrack } from "./postfix-pair.ts";
import {
  MILTER,
  NO_MILTER,
  POSTSRSD,
  type Report,
  renderAdapters,
  SOCKETMAP_NAME,
  SOCKETMAP_TCP_NAME,
  TCP_NAME,
} from "./report.ts";
import { type MapContestant, runLookUps, runMail } from "./rounds.ts";

async function main(): Promise<number> {
  const parsed = parseAdaptersOptions(process.argv.slice(2));
  if (!parsed.ok) {
    (parsed.exitCode === 0 ? process.stdout : process.stderr).write(parsed.say);
    return parsed.exitCode;
  }
  const { options } = parsed;
  const folder = makeRunFolder(options.folder);
  // Postfix's queue lies there, too.
  process.env.TMPDIR = folder;
  const reason = await storiesNeed("postfix", "postsrsd");
  if (reason !== undefined) throw new Error(`the peers cannot run here: ${reason}`);
  const report = await measure(options, folder);
  process.stdout.write(renderAdapters(report));
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(report, null, 1)}\n`);
  return 0;
}

async function measure(options: AdaptersOptions, folder: string): Promise<Report> {
  const machine = thisMachine(folder);
  const plan = { ...options, progress };
  await using stack = new AsyncDisposableStack();
  const adapters = new Map<string, Awaited<ReturnType<typeof startHomingAdapter>>>();
  for (const command of ["socketmap", "tcp-tables", "milter"] as const) {
    const adapter = await startHomingAdapter(command, folder);
    stack.defer(adapter.stop);
    adapters.set(command, adapter);
  }
  const portOf = (command: string): number => adapters.get(command)?.port ?? 0;

  const account = stack.use(createAccount("postsrsd"));
  const tables = { forward: await freePort(), reverse: await freePort() };
  const peerFolder = join(folder, "peer");
  mkdirSync(peerFolder);
  const postSrsd = await startPostSrsd(tables, { folder: peerFolder, account });
  stack.defer(() => postSrsd.stop());
  const maps: MapContestant[] = [
    { name: POSTSRSD, place: { port: tables.forward }, dialect: TCP_TABLE },
    { name: SOCKETMAP_NAME, place: { path: socketIn(folder) }, dialect: SOCKETMAP },
    { name: SOCKETMAP_TCP_NAME, place: { port: portOf("socketmap") }, dialect: SOCKETMAP },
    { name: TCP_NAME, place: { port: portOf("tcp-tables") }, dialect: TCP_TABLE },
  ];
  for (const map of maps) await verify(map);
  const lookUps = await runLookUps(maps, plan);

  const load = stack.use(createAccount("load"));
  const alone = await startPostfixTrack({ name: "alone", folder, load, milter: undefined });
  stack.defer(alone.stop);
  const filtered = await startPostfixTrack({ name: "filtered", folder, load, milter: portOf("milter") });
  stack.defer(filtered.stop);
  const mail = await runMail(
    [
      { name: NO_MILTER, track: alone },
      { name: MILTER, track: filtered },
    ],
    plan,
  );
  const residentMB = Object.fromEntries(
    [...adapters].map(([command, adapter]) => [command, adapter.residentMB()]),
  );
  const { rounds, seconds } = options;
  return { machine, rounds, seconds, lookUps, mail, residentMB };
}

/** Figures of refusals are none. */
async function verify({ name, place, dialect }: MapContestant): Promise<void> {
  const answer = await firstAnswer(place, dialect, "carol@origin.example");
  if (!/SRS0=[^=]+=[^=]+=origin\.example=carol@/.test(answer))
    throw new Error(`${name} answered "${answer.trim()}"`);
}

function progress(line: string): void {
  process.stderr.write(`${line}\n`);
}

// The handlers of "exit" end what runs and remove the folder.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(130));

process.exitCode = await main().catch((error: Error) => {
  process.stderr.write(`bench:adapters: ${error.message}\n`);
  return 1;
});
