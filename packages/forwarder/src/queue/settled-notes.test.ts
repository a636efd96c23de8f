import assert from "node:assert/strict";
import { test } from "node:test";
import { NULL_PATH } from "@homing/srs-core";
import type { SettledMail } from "../bounces/sent-mail.ts";
import type { ForwarderEvent } from "../events.ts";
import type { Note } from "../spool/notes.ts";
import type { Job } from "../spool/spool.ts";
import { message, recipient, T0 } from "../spool/testing/messages.ts";
import { settledNotes } from "./settled-notes.ts";

const NOTE: Note = { of: "x", key: "k", value: "", expires: T0 + 9 };
const LEASE = { messageId: "m1", message: 1, recipient: 0, attempt: 1 };
const RETURNS = { localPart: "SRS0=x", domain: "bounce.test" };

function untold(): void {
  assert.fail("nothing is to be told");
}

function job(reversePath: Job["recipient"]["reversePath"]): Job {
  return { lease: LEASE, message: message("m1"), recipient: recipient("a@home.example", { reversePath }) };
}

test("whoever sent the mail is asked once, in terms of the recipient to whom it was sent", () => {
  const asked: SettledMail[] = [];
  const sentMail = {
    settled(mail: SettledMail) {
      asked.push(mail);
      return [NOTE];
    },
  };
  const notes = settledNotes({ sentMail, report: untold }, job(RETURNS), { kind: "delivered" }, T0);
  assert.deepEqual(notes, [NOTE]);
  const sentTo = { localPart: "Alice", domain: "forwarder.example" };
  assert.deepEqual(asked, [
    { id: "m1", reversePath: RETURNS, recipient: sentTo, outcome: { kind: "delivered" }, now: T0 },
  ]);
});

test("of mail to which nothing returns nobody is asked", () => {
  const options = { sentMail: { settled: () => assert.fail("asked") }, report: untold };
  assert.deepEqual(settledNotes(options, job(NULL_PATH), { kind: "delivered" }, T0), []);
  assert.deepEqual(settledNotes({ report: untold }, job(RETURNS), { kind: "delivered" }, T0), []);
});

test("a bug in the answer is told, and keeps nothing from being written down", () => {
  const events: ForwarderEvent[] = [];
  const sentMail = {
    settled(): readonly Note[] {
      throw new Error("a bug");
    },
  };
  const options = { sentMail, report: (event: ForwarderEvent) => void events.push(event) };
  assert.deepEqual(settledNotes(options, job(RETURNS), { kind: "delivered" }, T0), []);
  const [event] = events;
  assert.match(event?.event === "error" ? event.message : "", /a bug/);
});
