// `npm run bench:srs`: our rewriter beside Mail::SRS (Debian) and two npm packages, in one run. One operation is one
// forge or one reverse with all checks. The npm peers are installed into the cache folder, for this alone.
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { loadavg } from "node:os";
import { join, resolve } from "node:path";
import { createRewriter } from "@homing/srs-core";
import { startLinePeer } from "../test/harness/line-peer.ts";
import { type Contestant, race, seconds } from "./rounds.ts";

const ROOT = resolve(import.meta.dirname, "..");
const SECRET = "a long random secret of 22 chars";
const DOMAIN = "forwarder.example";
const COUNT = 200_000;
const ROUNDS = 7;

function ours(scheme: "classic" | "strong"): Contestant {
  const rewriter = createRewriter({ secrets: [SECRET], domain: DOMAIN, scheme });
  return {
    name: `Homing, ${scheme}`,
    run: (count) =>
      seconds(() => {
        const now = Math.floor(Date.now() / 1000);
        for (let i = 0; i < count / 2; i++) {
          const forged = rewriter.forward({ localPart: `user${i}`, domain: "origin.example" }, now);
          if (!forged.ok || !forged.rewritten) throw new Error("not forged");
          if (!rewriter.reverse(forged.sender, now).ok) throw new Error("not reversed");
        }
      }),
  };
}

interface SrsJs {
  rewrite(user: string, domain: string): string;
  reverse(localPart: string): unknown;
}

interface SenderRewritingScheme {
  forward(sender: string, domain: string): string;
  reverse(address: string): unknown;
}

function npmPeers(): Contestant[] {
  const folder = join(ROOT, ".cache/bench");
  mkdirSync(folder, { recursive: true });
  cpSync(join(ROOT, "bench/srs-peers.json"), join(folder, "package.json"));
  if (!existsSync(join(folder, "node_modules"))) {
    execFileSync("npm", ["install", "--no-package-lock", "--ignore-scripts"], {
      cwd: folder,
      stdio: "inherit",
    });
  }
  const load = createRequire(join(folder, "package.json"));
  type Made<Peer> = new (options: { secret: string }) => Peer;
  const first = new (load("srs.js") as Made<SrsJs>)({ secret: SECRET });
  const { SRS } = load("sender-rewriting-scheme") as { SRS: Made<SenderRewritingScheme> };
  const second = new SRS({ secret: SECRET });
  return [
    npmPeer("npm srs.js", (i) => first.reverse(first.rewrite(`user${i}`, "origin.example"))),
    npmPeer("npm sender-rewriting-scheme", (i) =>
      second.reverse(second.forward(`user${i}@origin.example`, DOMAIN)),
    ),
  ];
}

function npmPeer(name: string, roundTrip: (i: number) => unknown): Contestant {
  return {
    name,
    run: (count) =>
      seconds(() => {
        for (let i = 0; i < count / 2; i++) if (!roundTrip(i)) throw new Error(`${name} did not reverse`);
      }),
  };
}

const perl = await startLinePeer({
  packageName: "libmail-srs-perl",
  interpreter: ["perl"],
  script: readFileSync(join(ROOT, "bench/mail-srs.pl"), "utf8"),
});
const mailSrs: Contestant = {
  name: "Mail::SRS (Perl)",
  run: async (count) => Number(await perl.ask({ count })),
};

const results = await race([mailSrs, ours("classic"), ours("strong"), ...npmPeers()], COUNT, ROUNDS);
await perl.stop();

console.log(
  `${COUNT} operations a round, ${ROUNDS} rounds, contestants in turn; load average ${loadavg()[0]?.toFixed(1)}`,
);
console.log(
  "operations a second (median), and times Mail::SRS in the same round: median (lowest to highest)",
);
for (const { name, rate, ratio } of results) {
  const [lowest, median, highest] = ratio.map((value) => value.toFixed(2));
  console.log(
    `${name.padEnd(30)} ${String(Math.round(rate)).padStart(9)}  ${median} (${lowest} to ${highest})`,
  );
}
