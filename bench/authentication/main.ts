// `npm run bench:authentication`: what it costs to check who sends and to seal what is forwarded, beside the plain path, in one
// run. What is measured, and how: docs/benchmarks.md.
import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { freePort } from "../../test/harness/free-port.ts";
import { type Account, createAccount } from "../mta/account.ts";
import { ALIAS, FORWARDING_DOMAIN } from "../mta/addresses.ts";
import { startCountingSink } from "../mta/counting-sink.ts";
import { makeRunFolder } from "../mta/folder.ts";
import { thisMachine } from "../mta/machine.ts";
import { CONTESTANTS, type SealKeys, type ServiceName, sealKeyOf } from "./contestants.ts";
import { writeOffers } from "./offer.ts";
import { type AuthenticationOptions, parseAuthenticationOptions } from "./options.ts";
import { type Report, renderAuthentication } from "./report.ts";
import { type Running, runRounds } from "./rounds.ts";
import { createSenders, newKey, type Senders } from "./senders.ts";
import { startService } from "./service-process.ts";

async function main(): Promise<number> {
  const parsed = parseAuthenticationOptions(process.argv.slice(2), availableParallelism());
  if (!parsed.ok) {
    (parsed.exitCode === 0 ? process.stdout : process.stderr).write(parsed.say);
    return parsed.exitCode;
  }
  const { options } = parsed;
  const report = await measure(options);
  process.stdout.write(renderAuthentication(report));
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(report, null, 1)}\n`);
  return 0;
}

async function measure(options: AuthenticationOptions): Promise<Report> {
  // Nothing is queued: it may lie in memory.
  const folder = makeRunFolder(options.folder, false);
  const machine = thisMachine(folder);
  using load = createAccount("load");
  const senders = await createSenders(ALIAS.address);
  const offers = writeOffers(folder, senders.mails);
  const chosen = CONTESTANTS.filter((_, index) => options.contestants.includes(index));
  const services = new Map<ServiceName, Running>();
  try {
    const ground = { folder, load, senders, threads: options.threads, keys: newSealKeys() };
    for (const name of new Set(chosen.map(({ service }) => service)))
      services.set(name, await start(name, ground));
    const contestants = chosen.flatMap((contestant) => {
      const running = services.get(contestant.service);
      return running ? [{ contestant, running }] : [];
    });
    const { threads, rounds, seconds } = options;
    const runs = await runRounds(contestants, offers, { ...options, progress });
    return { machine, threads, rounds, seconds, runs };
  } finally {
    for (const running of services.values()) await stop(running);
  }
}

interface Ground {
  readonly folder: string;
  readonly load: Account;
  readonly senders: Senders;
  readonly threads: number;
  readonly keys: SealKeys;
}

function newSealKeys(): SealKeys {
  return { rsa: newKey("rsa", FORWARDING_DOMAIN), ed25519: newKey("ed25519", FORWARDING_DOMAIN) };
}

async function start(name: ServiceName, { folder, load, senders, threads, keys }: Ground): Promise<Running> {
  const sinkFolder = join(folder, name);
  mkdirSync(sinkFolder);
  const sinkPort = await freePort();
  const sink = await startCountingSink(sinkPort, sinkFolder, load);
  const account = createAccount(name);
  const authentication = { records: senders.records, threads, sealKey: sealKeyOf(name, keys) };
  const service = await startService(
    { sinkPort, authentication: name === "plain" ? undefined : authentication },
    account,
  );
  const { port, stop } = service;
  const peer = { name: "homing-in-session", version: "Homing", port, account, stop } as const;
  return { service, sink, load, peer };
}

async function stop({ service, sink, peer }: Running): Promise<void> {
  await service.stop();
  await sink.stop();
  peer.account[Symbol.dispose]();
}

function progress(line: string): void {
  process.stderr.write(`${line}\n`);
}

// The handlers of "exit" end what runs and remove the folder.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(130));

process.exitCode = await main().catch((error: Error) => {
  process.stderr.write(`bench:authentication: ${error.message}\n`);
  return 1;
});
