// Mail that came in, for tests of the hand-over. Called by the tests beside its files.
import { memoryContent } from "@homing/mail";
import { NULL_PATH, parseMailbox } from "@homing/srs-core";
import type { RcptDsn } from "../../dsn-parameters.ts";
import type { HandOverOptions } from "../hand-over.ts";
import type { Incoming, Lead } from "../incoming.ts";

export const T0 = 1_800_000_000;

/** As far as what becomes of a DSN turns on them. */
export const HAND_OVER = { life: 86_400, now: () => T0 } as HandOverOptions;

export function incoming(leads: readonly Lead[], sender: "bob" | "null" = "bob"): Incoming {
  return {
    id: "m1",
    command: {
      client: { session: "s", address: "192.0.2.1", helo: "client.test", protocol: "ESMTP" },
      reversePath: sender === "null" ? NULL_PATH : mailbox("bob@origin.test"),
      eightBit: false,
      smtpUtf8: false,
      dsn: { ret: "full", envid: "Q1" },
    },
    client: { isGone: () => false, onGone: () => () => {} },
    content: memoryContent(Buffer.from("Subject: x\r\n\r\nbody\r\n")),
    leads,
  };
}

export function lead(recipient: string, targets: number, dsn: RcptDsn | undefined): Lead {
  const copies = Array.from({ length: targets }, (_, at) => ({
    mailbox: mailbox(`private${at}@home.test`),
    reversePath: mailbox("SRS0=x@ours.test"),
    stays: false,
  }));
  return { recipient: mailbox(recipient), copies, trace: () => "", dsn };
}

function mailbox(text: string) {
  const parsed = parseMailbox(text);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.mailbox;
}
