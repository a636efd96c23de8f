// The plug-in of on-behalf, as it is published, with every major of nodemailer that it is for: as ES modules and as CommonJS,
// over SMTP into a small server that keeps what arrives, and over the transports that send nothing by themselves.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { listenSmtp, type SmtpListener } from "@homing/forwarder";
import { type Reply, wholeContent } from "@homing/mail";
import {
  createRewriter,
  type Mailbox,
  parseMailbox,
  renderMailbox,
  renderReversePath,
} from "@homing/srs-core";
import type * as published from "../packages/on-behalf/src/plugin/published.ts";
import { packOnBehalf } from "../scripts/pack-on-behalf.ts";
import { run } from "./harness/command.ts";

type Plugin = typeof published;
type Options = published.OnBehalfPluginOptions;
/** What all majors have. */
interface Nodemailer {
  createTransport(options: object, defaults?: object): Transporter;
}
interface Transporter {
  use(step: string, plugin: published.OnBehalfPlugin): void;
  sendMail(
    data: object,
  ): Promise<{ envelope: { from: string; to: string[] }; messageId: string; message: unknown }>;
  close(): void;
}

const LIBRARIES: readonly [library: string, version: RegExp][] = [
  ["nodemailer-6.9", /^6\.9\.0$/],
  ["nodemailer-7", /^7\./],
  ["nodemailer-8", /^8\./],
  ["nodemailer-9", /^9\./],
  ["nodemailer", /^10\./],
];
const NOW = 1_780_000_000;
const SECRET = "a secret of more than 22 characters";
const OK: Reply = { code: 250, enhanced: "2.0.0", text: "ok" };

interface Arrival {
  readonly reversePath: string;
  readonly recipients: readonly string[];
  readonly message: string;
}

const arrivals: Arrival[] = [];
let folder = "";
let server: SmtpListener;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "homing-"));
  const { code, stderr } = await run(["tar", "-xzf", packOnBehalf(folder), "-C", folder]);
  assert.equal(code, 0, stderr);
  server = await listenSmtp(
    {
      host: "127.0.0.1",
      port: 0,
      hostname: "mx.peer.example",
      maxMessageOctets: 1024 * 1024,
      maxClients: 10,
    },
    {
      mail({ reversePath }) {
        const recipients: string[] = [];
        const transaction = {
          rcpt(mailbox: Mailbox): Reply {
            recipients.push(renderMailbox(mailbox));
            return OK;
          },
          async data(content: Parameters<typeof wholeContent>[0]): Promise<Reply> {
            const message = (await wholeContent(content)).toString("utf8");
            arrivals.push({ reversePath: renderReversePath(reversePath), recipients, message });
            return OK;
          },
        };
        return { kind: "open", transaction };
      },
      failed: (error) => assert.fail(String(error)),
    },
  );
});
after(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

// --- the cases ----------------------------------------------------------------------------------------------------------------

interface Case {
  readonly what: string;
  readonly options?: Partial<Options>;
  readonly defaults?: object;
  readonly mail: object;
  readonly to: readonly string[];
  /** Header fields as a reader decodes them; undefined: not there. */
  readonly header: Readonly<Record<string, string | undefined>>;
  /** Undefined: the selector names nobody. */
  readonly selects?: string;
}

const ALICE = { address: "alice@example.org", name: "Alice" };
const CARDS = "cards@site.example";
const PERMITS = { lookUpTxt: async () => [], now: () => NOW };
const REFUSES = { lookUpTxt: async () => ["v=DMARC1; p=reject"], now: () => NOW };

const cases: readonly Case[] = [
  {
    what: "one recipient, and DMARC that does not permit the user's address",
    mail: { onBehalfOf: ALICE, to: "bob@peer.example" },
    to: ["bob@peer.example"],
    selects: "bob@peer.example",
    header: {
      from: `Alice via Example Cards <${CARDS}>`,
      "reply-to": "Alice <alice@example.org>",
      sender: undefined,
      to: "bob@peer.example",
      subject: "A card",
    },
  },
  {
    what: "an identity as the service gave it",
    mail: {
      onBehalfOf: {
        ...ALICE,
        id: "idn_1",
        site: "cards",
        scope: "user",
        status: "confirmed",
        requestedAt: NOW - 120,
        confirmedAt: NOW - 60,
        expires: NOW + 3600,
      },
      to: "bob@peer.example",
    },
    to: ["bob@peer.example"],
    selects: "bob@peer.example",
    header: { from: `Alice via Example Cards <${CARDS}>`, "reply-to": "Alice <alice@example.org>" },
  },
  {
    what: "DMARC that permits the user's address",
    options: { world: PERMITS },
    mail: { onBehalfOf: ALICE, to: "bob@peer.example" },
    to: ["bob@peer.example"],
    selects: "bob@peer.example",
    header: {
      from: "Alice <alice@example.org>",
      sender: `Example Cards <${CARDS}>`,
      "reply-to": undefined,
    },
  },
  {
    what: "recipients in To, Cc and Bcc",
    mail: {
      onBehalfOf: ALICE,
      to: ['"Bob, the 2nd" <bob@peer.example>, carol@peer.example'],
      cc: { name: "Dan", address: "dan@Peer.Example" },
      bcc: "eve@peer.example",
    },
    to: ["bob@peer.example", "carol@peer.example", "dan@peer.example", "eve@peer.example"],
    header: {
      to: '"Bob, the 2nd" <bob@peer.example>, carol@peer.example',
      cc: "Dan <dan@peer.example>",
      bcc: undefined,
    },
  },
  {
    what: "names and domains beyond ASCII",
    mail: {
      onBehalfOf: { address: "jozef@bücher.example", name: "Józef Żółć", confirmedAt: NOW - 5 },
      to: { name: "山田太郎", address: "yamada@例え.example" },
      subject: "Grüße, 太郎",
    },
    to: ["yamada@xn--r8jz45g.example"],
    selects: "yamada@xn--r8jz45g.example",
    header: {
      from: `Józef Żółć via Example Cards <${CARDS}>`,
      "reply-to": "Józef Żółć <jozef@xn--bcher-kva.example>",
      to: "山田太郎 <yamada@xn--r8jz45g.example>",
      subject: "Grüße, 太郎",
    },
  },
  {
    what: "names full of what has a meaning in addresses",
    mail: { onBehalfOf: { ...ALICE, name: 'Alice "Al" O\'Neill, <x> (y): \\z;' }, to: "bob@peer.example" },
    to: ["bob@peer.example"],
    selects: "bob@peer.example",
    header: {
      from: `"Alice \\"Al\\" O'Neill, <x> (y): \\\\z; via Example Cards" <${CARDS}>`,
      "reply-to": '"Alice \\"Al\\" O\'Neill, <x> (y): \\\\z;" <alice@example.org>',
    },
  },
  {
    what: "characters that a local part may have",
    mail: {
      onBehalfOf: { address: "o'neill+tag{x}=y/z@example.org", confirmedAt: NOW },
      to: "b.o&b!#$%*?^`|~@peer.example",
    },
    to: ["b.o&b!#$%*?^`|~@peer.example"],
    selects: "b.o&b!#$%*?^`|~@peer.example",
    header: { "reply-to": "o'neill+tag{x}=y/z@example.org", to: "b.o&b!#$%*?^`|~@peer.example" },
  },
  {
    what: "defaults of the transporter, other header fields, HTML and an attachment",
    defaults: { from: `"Cards" <${CARDS}>`, headers: { "X-Site": "cards" } },
    mail: {
      onBehalfOf: "alice@example.org",
      to: "bob@peer.example",
      html: "<p>Hello</p>",
      headers: { "X-Card": "5" },
      attachments: [{ filename: "card.txt", content: "inside" }],
      list: { unsubscribe: "https://site.example/stop" },
    },
    to: ["bob@peer.example"],
    selects: "bob@peer.example",
    header: {
      from: `alice via Example Cards <${CARDS}>`,
      "reply-to": "alice@example.org",
      "x-site": "cards",
      "x-card": "5",
      "list-unsubscribe": "<https://site.example/stop>",
    },
  },
];

const refused: readonly [what: string, mail: object, code: string][] = [
  ["a user who is not confirmed", { onBehalfOf: "mallory@example.org" }, "identity-not-confirmed"],
  [
    "a line break in the user's name",
    { onBehalfOf: { ...ALICE, name: "A\r\nBcc: x@peer.example" } },
    "invalid-field",
  ],
  [
    "a line break in the subject",
    { onBehalfOf: ALICE, subject: "S\r\nBcc: x@peer.example" },
    "invalid-field",
  ],
  [
    "a prepared field with a line break",
    { onBehalfOf: ALICE, headers: { "X-A": { prepared: true, value: "1\r\nBcc: x@peer.example" } } },
    "invalid-field",
  ],
  [
    "six recipients",
    { onBehalfOf: ALICE, to: ["a", "b", "c", "d", "e", "f"].map((name) => `${name}@peer.example`) },
    "too-many-recipients",
  ],
  ["a group", { onBehalfOf: ALICE, to: "all: bob@peer.example, carol@peer.example;" }, "invalid-field"],
  ["a quoted local part", { onBehalfOf: ALICE, to: '"bob@evil.example"@peer.example' }, "invalid-field"],
  [
    "an envelope",
    { onBehalfOf: ALICE, envelope: { from: "x@y.example", to: "z@peer.example" } },
    "field-contradicts",
  ],
  [
    "a message that is written already",
    { onBehalfOf: ALICE, raw: "From: ceo@bank.example\r\n\r\nHi" },
    "field-contradicts",
  ],
  ["a From of somebody else", { onBehalfOf: ALICE, from: "ceo@bank.example" }, "field-contradicts"],
];

// --- every major, loaded both ways ------------------------------------------------------------------------------------------------

interface Loaded {
  readonly nodemailer: Nodemailer;
  readonly plugin: Plugin;
}

const require = createRequire(import.meta.url);
const LOADERS: readonly [kind: string, load: (library: string) => Promise<Loaded>][] = [
  [
    "ES modules",
    async (library) => {
      const module = (await import(library)) as { default?: Nodemailer } & Nodemailer;
      const plugin = (await import(pathToFileURL(join(folder, "package/dist/esm/index.js")).href)) as Plugin;
      return { nodemailer: module.default ?? module, plugin };
    },
  ],
  [
    "CommonJS",
    async (library) => ({
      nodemailer: require(library) as Nodemailer,
      plugin: require(join(folder, "package/dist/cjs/index.js")) as Plugin,
    }),
  ],
];

function transporterOf(
  { nodemailer, plugin }: Loaded,
  transport: object,
  more: Pick<Case, "options" | "defaults"> = {},
) {
  const transporter = nodemailer.createTransport(transport, more.defaults);
  transporter.use(
    "compile",
    plugin.onBehalf({
      secrets: [SECRET],
      bounceDomain: "bounce.site.example",
      from: { name: "Example Cards", address: CARDS },
      isConfirmed: (address) => address !== "mallory@example.org",
      world: REFUSES,
      ...more.options,
    }),
  );
  return transporter;
}

const smtp = () => ({
  host: "127.0.0.1",
  port: server.port,
  secure: false,
  ignoreTLS: true,
  name: "site.example",
});

for (const [library, version] of LIBRARIES) {
  test(`${library} is the major that its name says`, async () => {
    const file = join(import.meta.dirname, "../node_modules", library, "package.json");
    assert.match((JSON.parse(await readFile(file, "utf8")) as { version: string }).version, version);
  });

  for (const [kind, load] of LOADERS) {
    for (const one of cases) {
      test(`${library}, ${kind}: ${one.what}`, async () => {
        const transporter = transporterOf(await load(library), smtp(), one);
        arrivals.length = 0;
        const info = await transporter.sendMail({ subject: "A card", text: "Hello", ...one.mail });
        transporter.close();
        const [arrival, another] = arrivals;
        assert.ok(arrival && !another);
        assert.deepEqual(arrival.recipients, one.to);
        checkReturnPath(arrival.reversePath, one);
        assert.deepEqual(info.envelope, { from: arrival.reversePath, to: [...one.to] });
        const header = headerOf(arrival.message);
        for (const [name, value] of Object.entries(one.header)) {
          assert.deepEqual(header.get(name) ?? [], value === undefined ? [] : [value], name);
        }
        assert.match(header.get("message-id")?.join() ?? "", /^<[0-9a-f]{32}@site\.example>$/);
        assert.doesNotMatch(arrival.message, /onBehalf|eve@peer\.example/i);
      });
    }

    test(`${library}, ${kind}: what is refused does not arrive, and the promise and the callback say why`, async () => {
      const loaded = await load(library);
      const transporter = transporterOf(loaded, smtp());
      arrivals.length = 0;
      for (const [what, mail, code] of refused) {
        const data = { to: "bob@peer.example", subject: "A card", text: "Hello", ...mail };
        const error: unknown = await transporter.sendMail(data).catch((rejected: unknown) => rejected);
        assert.ok(error instanceof loaded.plugin.OnBehalfError, what);
        assert.equal(error.code, code, what);
      }
      const heard = await new Promise((resolve) => {
        const { sendMail } = transporter as unknown as {
          sendMail(data: object, done: (error: unknown) => void): void;
        };
        sendMail.call(transporter, { onBehalfOf: null }, resolve);
      });
      assert.ok(heard instanceof loaded.plugin.OnBehalfError);
      transporter.close();
      assert.deepEqual(arrivals, []);
    });

    test(`${library}, ${kind}: a message that nodemailer cannot compose rejects, and ends no process`, async () => {
      const transporter = transporterOf(await load(library), { jsonTransport: true });
      const mail = { onBehalfOf: ALICE, to: "bob@peer.example", alternatives: [null] };
      await assert.rejects(transporter.sendMail(mail), TypeError);
    });

    test(`${library}, ${kind}: mail without onBehalfOf arrives as the site wrote it`, async () => {
      const transporter = transporterOf(await load(library), smtp());
      arrivals.length = 0;
      await transporter.sendMail({ from: "News <news@site.example>", to: "bob@peer.example", text: "Hello" });
      transporter.close();
      assert.equal(arrivals[0]?.reversePath, "news@site.example");
      assert.deepEqual(headerOf(arrivals[0].message).get("from"), ["News <news@site.example>"]);
    });

    test(`${library}, ${kind}: the transports that send nothing have the same envelope`, async () => {
      const loaded = await load(library);
      const mail = {
        onBehalfOf: ALICE,
        to: "Bob <bob@peer.example>",
        bcc: "eve@Peer.Example",
        subject: "A card",
        text: "Hello",
      };
      const to = ["bob@peer.example", "eve@peer.example"];
      for (const transport of [{ jsonTransport: true }, { streamTransport: true, buffer: true }]) {
        const info = await transporterOf(loaded, transport).sendMail(mail);
        assert.deepEqual(info.envelope.to, to);
        checkReturnPath(info.envelope.from, {});
        assert.match(info.messageId, /@site\.example>$/);
        assert.doesNotMatch(String(info.message), /onBehalfOf/);
      }
      const log = join(folder, "sendmail.log");
      const path = join(folder, "sendmail");
      await writeFile(path, `#!/bin/sh\nprintf '%s\\n' "$@" > ${log}\ncat > ${log}.eml\n`, { mode: 0o755 });
      await transporterOf(loaded, { sendmail: true, path }).sendMail(mail);
      const [dashI, dashF, sender = "", ...recipients] = (await readFile(log, "utf8")).trim().split("\n");
      assert.deepEqual([dashI, dashF, ...recipients.filter((one) => one !== "--")], ["-i", "-f", ...to]);
      checkReturnPath(sender, {});
    });
  }
}

/** SRS of the user at the bounce domain, in a tag that names the only recipient. */
function checkReturnPath(address: string, { mail, selects }: Partial<Case>): void {
  const parsed = parseMailbox(address);
  assert.ok(parsed.ok, address);
  assert.equal(parsed.mailbox.domain, "bounce.site.example");
  const rewriter = createRewriter({ secrets: [SECRET], domain: "bounce.site.example" });
  const back = rewriter.reverse(parsed.mailbox, NOW);
  assert.ok(back.ok, address);
  const { onBehalfOf = ALICE } = (mail ?? {}) as { onBehalfOf?: { address: string } | string };
  const user = typeof onBehalfOf === "string" ? onBehalfOf : onBehalfOf.address;
  assert.equal(renderMailbox(back.address), user.replace("bücher", "xn--bcher-kva"));
  const alias = selects === undefined ? undefined : parseMailbox(selects);
  assert.equal(back.selector, alias?.ok ? rewriter.selectorsOf(alias.mailbox)[0] : undefined);
}

/** Unfolded, encoded words decoded (RFC 2047 §6.2), by name in lower case. */
function headerOf(message: string): Map<string, string[]> {
  const fields = new Map<string, string[]>();
  const [text = ""] = message.split("\r\n\r\n", 1);
  for (const line of text.replace(/\r\n(?=[ \t])/g, "").split("\r\n")) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).toLowerCase();
    fields.set(name, [...(fields.get(name) ?? []), decoded(line.slice(colon + 1).trim())]);
  }
  return fields;
}

function decoded(text: string): string {
  return text.replace(/(?<=\?=)\s+(?==\?)/g, "").replace(/(?:=\?utf-8\?[qb]\?[^?]*\?=)+/gi, (words) => {
    const parts = [...words.matchAll(/=\?utf-8\?([qb])\?([^?]*)\?=/gi)];
    return Buffer.concat(parts.map(([, kind = "", octets = ""]) => octetsOf(kind, octets))).toString("utf8");
  });
}

function octetsOf(kind: string, text: string): Buffer {
  if (kind.toLowerCase() === "b") return Buffer.from(text, "base64");
  const plain = text
    .replace(/_/g, " ")
    .replace(/=([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(plain, "latin1");
}
