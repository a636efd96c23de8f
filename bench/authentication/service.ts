// The service that is measured, as a process of its own: a forwarder with DNS from a table, which tells its parent what it
// used and how late its event loop was. Started by service-process.ts.
import { readFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import process from "node:process";
import {
  AUTHENTICATION_POLICY,
  createTableRules,
  type ForwarderEvent,
  loadTables,
  startForwarder,
  systemClock,
} from "@homing/forwarder";
import type { DnsAnswer, SpfResolver } from "@homing/spf";
import { createRewriter } from "@homing/srs-core";
import { createLogWriter } from "../../packages/cli/src/service/log-writer.ts";
import { keepYoungMemory } from "../../packages/cli/src/service/young-memory.ts";
import { randomId } from "../../packages/cli/src/system-world.ts";
import { unixNow } from "../../packages/cli/src/time.ts";
import { createTimeLimits } from "../../packages/cli/src/time-limits.ts";
import { ALIAS, FORWARDING_DOMAIN, localPartOf, SECRET } from "../mta/addresses.ts";
import type { FromService, Measured, ServiceOrder, ToService } from "./orders.ts";
import type { Records } from "./senders.ts";

const HOSTNAME = `mx.${FORWARDING_DOMAIN}`;
/** What Linux has; `getconf CLK_TCK` says so, too. */
const TICKS_PER_SECOND = 100;
const EXPECTED: ReadonlySet<ForwarderEvent["event"]> = new Set([
  "received",
  "forwarded",
  "delivered",
  "answered",
  "authenticated",
]);

keepYoungMemory();
const tell = (message: FromService): void => void process.send?.(message);
const delay = monitorEventLoopDelay({ resolution: 1 });
let counted = nothing();
let cpu = process.cpuUsage();
let mainThread = 0;

process.on("message", (message: ToService) => {
  switch (message.kind) {
    case "start":
      void start(message.order);
      break;
    case "begin":
      counted = nothing();
      delay.reset();
      delay.enable();
      cpu = process.cpuUsage();
      mainThread = mainThreadSeconds();
      tell({ kind: "begun" });
      break;
    case "end":
      tell({ kind: "measured", measured: measured() });
      delay.disable();
  }
});
// Without its parent there is nothing to measure.
process.once("disconnect", () => process.exit(0));

interface Counted {
  authenticated: number;
  signaturesGood: number;
  readonly faults: Map<string, string>;
}

function nothing(): Counted {
  return { authenticated: 0, signaturesGood: 0, faults: new Map() };
}

async function start(order: ServiceOrder): Promise<void> {
  const rules = createTableRules({
    domains: [FORWARDING_DOMAIN],
    ownNames: [HOSTNAME],
    recipientDelimiter: "",
  });
  const aliases = `postmaster: ${ALIAS.target}\n${localPartOf(ALIAS.address)}: ${ALIAS.target}\n`;
  const loaded = await loadTables({ aliases: "aliases" }, rules, async function* () {
    yield Buffer.from(aliases);
  });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  const { authentication, sinkPort } = order;
  const refused = async () => ({ kind: "failed", cause: "no DNS in this benchmark" }) as const;
  // As `homing serve` does, and away: what it costs to write lines is part of a service.
  const log = createLogWriter({ write: () => {}, now: () => new Date() });
  const { port } = await startForwarder(
    {
      hostname: HOSTNAME,
      listen: { host: "127.0.0.1", port: 0 },
      rewriter: createRewriter({ secrets: [SECRET], domain: FORWARDING_DOMAIN }),
      tables: loaded.tables,
      routes: new Map(),
      smartHost: { host: "127.0.0.1", port: sinkPort },
      privateNetworks: [],
      trustedNetworks: [],
      maxMessageOctets: 1024 * 1024,
      maxClients: 1000,
      limits: { clientsPerNetwork: 0 },
      maxHops: 50,
      loopSecrets: [SECRET],
      authentication: authentication && {
        authservId: HOSTNAME,
        policyFor: () => AUTHENTICATION_POLICY,
        relays: [],
        trustedForwarders: [],
        threads: authentication.threads,
        sealKey: authentication.sealKey,
      },
    },
    {
      now: unixNow,
      newId: randomId,
      random: Math.random,
      clock: systemClock,
      timeLimit: createTimeLimits(() => performance.now()),
      resolver: { mx: refused, addresses: refused },
      ...(authentication ? { dns: tableDns(authentication.records) } : {}),
      report(event) {
        log.log(event);
        count(event);
      },
    },
  );
  tell({ kind: "listening", port });
}

function count(event: ForwarderEvent): void {
  if (event.event === "authenticated" && event.verdict === "accept" && event.dmarc === "pass") {
    counted.authenticated++;
    if (event.dkim.some(({ result, aligned }) => result === "pass" && aligned)) counted.signaturesGood++;
  } else if (!EXPECTED.has(event.event) || event.event === "authenticated") {
    if (!counted.faults.has(event.event)) counted.faults.set(event.event, JSON.stringify(event));
  }
}

function measured(): Measured {
  const { user, system } = process.cpuUsage(cpu);
  const milliseconds = (nanoseconds: number): number => nanoseconds / 1e6;
  const { authenticated, signaturesGood, faults } = counted;
  return {
    cpuSeconds: (user + system) / 1e6,
    mainThreadCpuSeconds: mainThreadSeconds() - mainThread,
    delay: {
      p50: milliseconds(delay.percentile(50)),
      p99: milliseconds(delay.percentile(99)),
      max: milliseconds(delay.max),
    },
    ...{ authenticated, signaturesGood, faults: [...faults.values()] },
  };
}

/** proc(5): the task whose number is the process's is its first thread. */
function mainThreadSeconds(): number {
  const stat = readFileSync(`/proc/self/task/${process.pid}/stat`, "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function tableDns(records: Records): SpfResolver {
  const byName = new Map(Object.entries(records));
  const none = (): DnsAnswer<never> => ({ kind: "records", records: [] });
  return {
    txt(name) {
      const text = byName.get(name);
      return text === undefined ? { kind: "no-such-name" } : { kind: "records", records: [text] };
    },
    ...{ a: none, aaaa: none, mx: none, ptr: none },
  };
}
