// Do our names pass SPF? Mail with the null sender, as our notifications, is checked by our HELO name (RFC 7208 §2.4), and mail of
// web sites by their bounce domains: by their records, and from the addresses of this machine that the world sees. Called by
// dns-check.ts.
import { checkSpf, isSpfRecord, parseRecord, type SpfRecord, type SpfResolver } from "@homing/spf";
import { printable } from "@homing/srs-core";
import { unixNow } from "../time.ts";
import type { TxtLookup } from "./dkim-record-check.ts";

/** From where we send. */
export interface SpfOfOurs {
  readonly resolver: SpfResolver;
  /** Of this machine, without private ones: behind NAT there are none. */
  readonly addresses: readonly string[];
}

const MAX_SHOWN = 100;
const PUBLISH = 'publish one that passes the addresses that we send from, as "v=spf1 a -all"';

/** A name of ours, and which mail is checked by it. */
export interface CheckedName {
  readonly kind: "hostname" | "bounceDomain";
  readonly name: string;
}

const MAIL: Readonly<Record<CheckedName["kind"], string>> = {
  hostname: "mail with the null sender",
  bounceDomain: "mail of its site",
};

/** What to look after, in words. */
export async function spfWarnings(
  { kind, name }: CheckedName,
  txt: TxtLookup,
  ours?: SpfOfOurs,
): Promise<readonly string[]> {
  const about = `warning: ${kind} ${name}:`;
  const mail = MAIL[kind];
  const answer = await txt(name);
  if (answer.kind === "failed")
    return [`${about} its SPF record cannot be told (${answer.cause}): ask again when DNS answers`];
  const records = answer.texts.filter(isSpfRecord);
  const [text] = records;
  if (text === undefined) return [`${about} it has no SPF record, so ${mail} does not pass: ${PUBLISH}`];
  if (records.length > 1) {
    const why = `it has ${records.length} SPF records, which is an error to receivers (RFC 7208 §4.5)`;
    return [`${about} ${why}: keep one`];
  }
  const parsed = parseRecord(text);
  const shown = printable(text, MAX_SHOWN);
  if (parsed.kind === "wrong")
    return [`${about} its SPF record "${shown}" is wrong (${parsed.problem}): correct it`];
  if (!mayPass(parsed.record)) {
    const why = `its SPF record "${shown}" lets no address pass`;
    return [`${about} ${why}, so ${mail} fails: ${PUBLISH}`];
  }
  return ours ? addressWarnings({ kind, name }, ours) : [];
}

/** Whether a term may give "pass". */
function mayPass({ mechanisms, redirect }: SpfRecord): boolean {
  return redirect !== undefined || mechanisms.some(({ qualifier }) => qualifier === "+");
}

async function addressWarnings(
  { kind, name }: CheckedName,
  { resolver, addresses }: SpfOfOurs,
): Promise<readonly string[]> {
  const isHelo = kind === "hostname";
  const answers = await Promise.all(
    addresses.map(async (client) => {
      const question = isHelo
        ? ({ client, helo: name, sender: "", identity: "helo" } as const)
        : { client, helo: name, sender: `postmaster@${name}` };
      return { client, ...(await checkSpf(question, { resolver, now: unixNow })) };
    }),
  );
  return answers
    .filter(({ result }) => result !== "pass")
    .map(({ client, result }) => {
      const why = `from ${client}, an address of this machine, its SPF result is ${result}`;
      return `warning: ${kind} ${name}: ${why}: name the address in the record, if we send from there`;
    });
}
