// `homing dkim new`: a key that signs our own mail, and the record that goes into DNS. The key itself is never printed.
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { resolve } from "node:path";
import { parseDomain } from "@homing/srs-core";
import { renderPublicKey } from "../config/dkim-keys.ts";
import { recordName, renderRecord, renderZoneLine } from "../config/dkim-record.ts";
import { isSelector } from "../config/dkim-selector.ts";
import { CommandFailure, EXIT } from "../failure.ts";
import { createOutput } from "../output.ts";
import { createPrivateFile } from "../private-file.ts";

interface Options {
  readonly domain: string;
  readonly selector: string;
  readonly out: string;
  readonly type: "rsa" | "ed25519";
  readonly json?: true;
}

/** RFC 8301 §3.2: what verifiers can do at least, and a record that fits into one DNS answer over UDP. */
const RSA_BITS = 2048;

export async function newDkimKey({ domain: text, selector, out, type, json }: Options): Promise<number> {
  const output = createOutput(json === true);
  const domain = domainOption(text);
  if (!isSelector(selector)) {
    const why = "is no selector: write letters, digits and hyphens, as in homing2026";
    throw new CommandFailure("usage", `--selector "${selector}" ${why}`);
  }
  const key = newKey(type);
  await createPrivateFile(out, String(key.export({ type: "pkcs8", format: "pem" })), {
    what: "DKIM key",
    otherwise: "write another name, and give a new key a selector of its own",
  });
  const name = recordName(selector, domain);
  const record = renderRecord(renderPublicKey(key, type));
  if (output.json) {
    output.document({ ok: true, file: out, type, name, record });
    return EXIT.ok;
  }
  output.data(renderZoneLine(name, record));
  output.talk(`homing: ${out}: made, with mode 0600. Publish the line above, then write into homing.yaml:`);
  output.talk(
    `homing: dkim: [{ domain: ${domain}, selector: "${selector}", keyFile: ${JSON.stringify(resolve(out))} }]`,
  );
  return EXIT.ok;
}

function domainOption(text: string): string {
  const parsed = parseDomain(text);
  if (parsed.ok) return parsed.domain;
  throw new CommandFailure(
    "usage",
    `--domain ${parsed.message}: write a domain name such as forwarder.example`,
  );
}

function newKey(type: Options["type"]): KeyObject {
  return type === "rsa"
    ? generateKeyPairSync("rsa", { modulusLength: RSA_BITS }).privateKey
    : generateKeyPairSync("ed25519").privateKey;
}
