// Do receivers find the keys that we sign with? Called by dns-check.ts.
import type { TxtAnswer } from "@homing/forwarder";
import type { ReadKey } from "./dkim-keys.ts";
import { hasKey, isKeyRecord, recordName, renderRecord } from "./dkim-record.ts";

/** No record, and no such name, are `texts: []`. */
export type TxtLookup = (name: string) => Promise<TxtAnswer>;

export type RecordFinding =
  | { readonly kind: "good" }
  /** It may be good later: in words. */
  | { readonly kind: "warning"; readonly message: string }
  /** Each signature fails: in words. */
  | { readonly kind: "wrong"; readonly message: string };

export async function checkDkimRecord(
  { domain, selector, publicKey }: ReadKey,
  txt: TxtLookup,
): Promise<RecordFinding> {
  const name = recordName(selector, domain);
  const publish = `publish this one as TXT: ${renderRecord(publicKey)}`;
  const answer = await txt(name);
  if (answer.kind === "failed") {
    const message = `the record ${name} cannot be told (${answer.cause}): ask again when DNS answers`;
    return { kind: "warning", message };
  }
  const records = answer.texts.filter(isKeyRecord);
  if (records.length === 0)
    return { kind: "warning", message: `DNS has no key at ${name}, so our signatures fail: ${publish}` };
  if (!records.some((record) => hasKey(record, publicKey))) {
    const message = `${name} has another key than keyFile, so our signatures fail: ${publish}`;
    return { kind: "wrong", message };
  }
  if (records.length > 1) {
    const why = "and verifiers take any one of them (RFC 6376 §3.6.2.2)";
    return { kind: "warning", message: `${name} has ${records.length} keys, ${why}: keep ours` };
  }
  return { kind: "good" };
}
