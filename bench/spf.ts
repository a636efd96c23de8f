// `npm run bench:spf`: our SPF beside pyspf (Debian) and npm mailauth, in one run, each with the same records in memory.
// One operation is one check that passes.
import { readFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { checkSpf, type SpfResolver } from "@homing/spf";
import { spf as mailauthSpf } from "mailauth/lib/spf/index.js";
import { startLinePeer } from "../test/harness/line-peer.ts";
import { type Contestant, race } from "./rounds.ts";
import { SPF_CASES, type SpfCase, type SpfZone } from "./spf-zones.ts";

const ROUNDS = 5;

const pyspf = await startLinePeer({
  packageName: "python3-spf",
  interpreter: ["python3", "-I"],
  script: readFileSync(join(import.meta.dirname, "pyspf.py"), "utf8"),
});

console.log(`${ROUNDS} rounds in turn; load average ${loadavg()[0]?.toFixed(1)}`);
console.log("checks a second (median), and times pyspf in the same round: median (lowest to highest)");
for (const spfCase of SPF_CASES) {
  console.log(spfCase.name);
  for (const { name, rate, ratio } of await race(contestants(spfCase), spfCase.count, ROUNDS)) {
    const [lowest, median, highest] = ratio.map((value) => value.toFixed(2));
    console.log(
      `  ${name.padEnd(14)} ${String(Math.round(rate)).padStart(9)}  ${median} (${lowest} to ${highest})`,
    );
  }
}
await pyspf.stop();

function contestants(spfCase: SpfCase): Contestant[] {
  return [
    { name: "pyspf", run: async (count) => Number(await pyspf.ask({ case: spfCase, count })) },
    ours(spfCase),
    mailauth(spfCase),
  ];
}

function ours({ client, sender, zone }: SpfCase): Contestant {
  const options = { resolver: resolverOf(zone), now: () => 0 };
  return timed("Homing", async () => {
    return (await checkSpf({ client, helo: "mail.example", sender }, options)).result;
  });
}

function mailauth({ client, sender, zone }: SpfCase): Contestant {
  const resolver = async (name: string, type: string): Promise<string[] | string[][]> => {
    const found = zone[name];
    if (type === "TXT" && found?.TXT !== undefined) return found.TXT.map((text) => [text]);
    if (type === "A" && found?.A !== undefined) return [...found.A];
    throw Object.assign(new Error(`no ${type} of ${name}`), { code: "ENOTFOUND" });
  };
  return timed("npm mailauth", async () => {
    return (await mailauthSpf({ ip: client, helo: "mail.example", sender, resolver })).status.result;
  });
}

function timed(name: string, check: () => Promise<string>): Contestant {
  return {
    name,
    run: async (count) => {
      const start = performance.now();
      for (let i = 0; i < count; i++) {
        const result = await check();
        if (result !== "pass") throw new Error(`${name} says ${result}`);
      }
      return (performance.now() - start) / 1000;
    },
  };
}

function resolverOf(zone: SpfZone): SpfResolver {
  const look = (type: "TXT" | "A") => (name: string) => {
    const found = zone[name];
    if (found === undefined) return { kind: "no-such-name" } as const;
    return { kind: "records", records: found[type] ?? [] } as const;
  };
  const nothing = () => ({ kind: "records", records: [] }) as const;
  return { txt: look("TXT"), a: look("A"), aaaa: nothing, mx: nothing, ptr: nothing };
}
