// Who writes in this benchmark: domains with SPF, DMARC `p=reject` and a DKIM key each, their mail, and the DNS that knows them.
// Called by main.ts.
import { generateKeyPairSync } from "node:crypto";
import { createMessageSigner, type DkimKey } from "@homing/forwarder";

/** More than one, so that a cache of the last key alone would not look like one of many. */
const DOMAINS = 10;
const SELECTOR = "s1";
const RSA_BITS = 2048;
const MESSAGE_OCTETS = 4000;
const LINE = `${"All work and no play makes mail a dull thing to read. ".repeat(2).slice(0, 76)}\r\n`;

/** TXT records by name. */
export type Records = Readonly<Record<string, string>>;

export interface Mail {
  /** The envelope sender, and who the header From names. */
  readonly sender: string;
  readonly signed: Buffer;
  /** The same without its signature. */
  readonly unsigned: Buffer;
}

export interface Senders {
  readonly records: Records;
  readonly mails: readonly Mail[];
}

export async function createSenders(recipient: string): Promise<Senders> {
  const records: Record<string, string> = {};
  const mails: Mail[] = [];
  for (let nth = 1; nth <= DOMAINS; nth++) {
    const domain = `sender${nth}.example`;
    const key = newKey("rsa", domain);
    const sender = `carol@${domain}`;
    records[domain] = "v=spf1 ip4:127.0.0.0/8 -all";
    records[`_dmarc.${domain}`] = "v=DMARC1; p=reject";
    records[`${SELECTOR}._domainkey.${domain}`] = key.record;
    const unsigned = message(sender, recipient);
    mails.push({ sender, unsigned, signed: await createMessageSigner([key])(unsigned) });
  }
  return { records, mails };
}

export interface NewKey extends DkimKey {
  readonly record: string;
}

export function newKey(type: "rsa" | "ed25519", domain: string): NewKey {
  const { privateKey, publicKey } =
    type === "rsa" ? generateKeyPairSync("rsa", { modulusLength: RSA_BITS }) : generateKeyPairSync("ed25519");
  const spki = publicKey.export({ type: "spki", format: "der" });
  // RFC 8463 §4: the key itself, without what SPKI has around it.
  const p = (type === "rsa" ? spki : spki.subarray(-32)).toString("base64");
  return {
    ...{ domain, selector: SELECTOR },
    privateKey: String(privateKey.export({ type: "pkcs8", format: "pem" })),
    record: `v=DKIM1; k=${type}; p=${p}`,
  };
}

function message(sender: string, recipient: string): Buffer {
  const domain = sender.slice(sender.indexOf("@") + 1);
  const header = [
    `Received: from desk.${domain} (desk.${domain} [192.0.2.7]) by mail.${domain} with ESMTPSA id 4Q7x2K;\r\n\tSun, 22 Nov 2026 09:00:00 +0000`,
    `Message-ID: <20261122090000.4Q7x2K@mail.${domain}>`,
    "Date: Sun, 22 Nov 2026 09:00:00 +0000",
    `From: Carol Sender <${sender}>`,
    `To: Alice <${recipient}>`,
    "Subject: What we said about Thursday",
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=utf-8",
    "Content-Transfer-Encoding: 7bit",
  ];
  const head = `${header.join("\r\n")}\r\n\r\n`;
  return Buffer.from(head + LINE.repeat(Math.round((MESSAGE_OCTETS - head.length) / LINE.length)));
}
