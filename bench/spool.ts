// npm run bench:spool: messages a second that are stored, acknowledged and removed again, 4 KB and 100 KB, by 1 to 200
// callers at the same time. The peer keeps a file for each message, and syncs file and folder before it acknowledges, as
// most MTAs do.
import { mkdirSync, mkdtempSync } from "node:fs";
import { mkdir, open, rm, unlink } from "node:fs/promises";
import { loadavg } from "node:os";
import { join, resolve } from "node:path";
import { memoryContent } from "@homing/mail";
import { openSpool } from "../packages/forwarder/src/spool/open-spool.ts";
import type { NewMessage, Spool } from "../packages/forwarder/src/spool/spool.ts";
import { type Contestant, race } from "./rounds.ts";

const ROUNDS = 3;
/** On the disk of this checkout: /tmp may be memory. */
const BASE = process.argv[2] ?? resolve(import.meta.dirname, "../.cache");
mkdirSync(BASE, { recursive: true });
const FOLDER = mkdtempSync(join(BASE, "bench-spool-"));
const CASES: readonly [octets: number, callers: number, count: number][] = [
  [4096, 1, 200],
  [4096, 50, 3000],
  [4096, 200, 3000],
  [102_400, 10, 200],
];
const NOW = Math.floor(Date.now() / 1000);

let lastId = 0;

function message(body: Buffer): NewMessage {
  return {
    id: `${++lastId}`,
    received: NOW,
    expires: NOW + 4 * 86_400,
    sender: { localPart: "bob", domain: "origin.example" },
    eightBit: false,
    smtpUtf8: false,
    content: memoryContent(body),
    recipients: [
      {
        mailbox: { localPart: "alice", domain: `home${lastId % 20}.example` },
        reversePath: { localPart: "SRS0=k5jjmthi=G3=origin.example=bob", domain: "forwarder.example" },
        alias: { localPart: "alice", domain: "forwarder.example" },
        targets: 1,
        stays: false,
        trace: `Received: by mx.forwarder.example id ${lastId}\r\n`,
        notify: { kind: "sender" },
        due: NOW,
        leasedUntil: NOW + 3600,
      },
    ],
  };
}

async function throughSpool(spool: Spool, body: Buffer): Promise<void> {
  const put = await spool.put(message(body));
  const [lease] = put.kind === "stored" ? put.leases : [];
  if (!lease || !(await spool.done(lease))) throw new Error(JSON.stringify(put));
}

async function throughFile(folder: string, body: Buffer): Promise<void> {
  const name = join(folder, `${++lastId}`);
  const file = await open(name, "wx", 0o600);
  await file.write(body);
  await file.datasync();
  await file.close();
  const directory = await open(folder, "r");
  await directory.sync();
  await directory.close();
  await unlink(name);
}

function contestant(name: string, callers: number, work: () => Promise<void>): Contestant {
  return {
    name,
    async run(count) {
      const start = process.hrtime.bigint();
      let left = count;
      const call = async (): Promise<void> => {
        while (left-- > 0) await work();
      };
      await Promise.all(Array.from({ length: callers }, call));
      return Number(process.hrtime.bigint() - start) / 1e9;
    },
  };
}

const files = join(FOLDER, "files");
await mkdir(files);
const spool = await openSpool({ folder: join(FOLDER, "spool") });
try {
  console.log(`medians of ${ROUNDS} interleaved rounds; load average ${loadavg()[0]?.toFixed(1)}`);
  for (const [octets, callers, count] of CASES) {
    const body = Buffer.alloc(octets, "octets ");
    const results = await race(
      [
        contestant("file and folder synced", callers, () => throughFile(files, body)),
        contestant("spool", callers, () => throughSpool(spool, body)),
      ],
      count,
      ROUNDS,
    );
    console.log(`${octets} octets, ${callers} callers`);
    for (const { name, rate, ratio } of results)
      console.log(
        `  ${name.padEnd(24)} ${Math.round(rate)} a second, ${ratio.map((one) => one.toFixed(1)).join(" – ")}`,
      );
  }
} finally {
  await spool.close();
  await rm(FOLDER, { recursive: true });
}
