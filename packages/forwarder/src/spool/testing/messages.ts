// Messages for tests of the spool. Called by spool-contract.ts and the tests beside the spool's files.
import { type Content, countedHolds, memoryContent, wholeContent } from "@homing/mail";
import type { Job, Lease, NewMessage, NewRecipient, PutOutcome, Spool } from "../spool.ts";

export const T0 = 1_800_000_000;

export function recipient(address: string, more: Partial<NewRecipient> = {}): NewRecipient {
  const [localPart = "", domain = ""] = address.split("@");
  return {
    mailbox: { localPart, domain },
    reversePath: { localPart: "SRS0=k5jjmthi=G3=origin.example=bob", domain: "forwarder.example" },
    alias: { localPart: "Alice", domain: "forwarder.example" },
    targets: 1,
    stays: false,
    trace: "Received: by mx.forwarder.example\r\n",
    notify: { kind: "sender" },
    due: T0,
    ...more,
  };
}

export function message(id: string, more: Partial<NewMessage> = {}): NewMessage {
  return {
    id,
    received: T0,
    expires: T0 + 4 * 86_400,
    sender: { localPart: "bob", domain: "origin.example" },
    eightBit: false,
    smtpUtf8: false,
    content: memoryContent(Buffer.from(`Subject: ${id}\r\n\r\nbody of ${id}\r\n`)),
    recipients: [recipient("a@home.example")],
    ...more,
  };
}

/** A content that is nowhere whole: `pieces` gives it in pieces of `pieceOctets`. */
export function piecewise(octets: Buffer, pieceOctets: number, start = octets.subarray(0, 100)): Content {
  return {
    octets: octets.length,
    start,
    async *pieces() {
      for (let at = 0; at < octets.length; at += pieceOctets) yield octets.subarray(at, at + pieceOctets);
    },
    ...countedHolds(undefined),
  };
}

/** Octets that differ everywhere, so that a piece in the wrong place shows. */
export function patterned(octets: number): Buffer {
  return Buffer.from(
    Uint32Array.from({ length: Math.ceil(octets / 4) }, (_, at) => at * 2654435761).buffer,
  ).subarray(0, octets);
}

export function leases(outcome: PutOutcome): readonly (Lease | undefined)[] {
  if (outcome.kind !== "stored") throw new Error(`not stored: ${outcome.cause}`);
  return outcome.leases;
}

/** The lease of a message with one recipient that was put with `leasedUntil`. */
export function lease(outcome: PutOutcome): Lease {
  const [only] = leases(outcome);
  if (!only) throw new Error("no lease");
  return only;
}

export async function claimAll(spool: Spool, now = T0): Promise<readonly Job[]> {
  return spool.claim({ now, leaseUntil: now + 600, limit: 100 });
}

export async function ids(spool: Spool): Promise<string[]> {
  return (await spool.list({ limit: 1000 })).map(({ id }) => id);
}

export function textOf(job: Job): Promise<string> {
  return wholeContent(job.message.content).then(String);
}
