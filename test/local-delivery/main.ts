// Delivers messages into maildirs, one after the other, in a process that a story can kill or put on a full disk:
//   node main.ts PATTERN COUNT OCTETS
// Prints what became of each as a line of JSON. Called by local-delivery.test.ts.
import { randomUUID } from "node:crypto";
import { writeSync } from "node:fs";
import { memoryContent } from "@homing/mail";
import { deliverLocally } from "../../packages/forwarder/src/local-delivery.ts";
import { ownConnections } from "../../packages/forwarder/src/testing/own-connections.ts";

const [, , pattern = "", count, octets] = process.argv;
const message = Buffer.from(`Subject: x\r\n\r\n${"x".repeat(Number(octets))}\r\n`);
const envelope = {
  reversePath: { localPart: "bob", domain: "source.example" },
  recipient: { localPart: "alice", domain: "home.example" },
  eightBit: false,
  smtpUtf8: false,
};

for (let sent = 0; sent < Number(count); sent++) {
  const delivery = await deliverLocally(
    { kind: "maildir", pattern },
    {
      hostname: "mx.home.example",
      ...ownConnections("mx.home.example"),
      newId: randomUUID,
      now: () => 1_800_000_000,
    },
    envelope,
    memoryContent(message),
  );
  // At once: a kill must not take along what was acknowledged.
  writeSync(1, `${JSON.stringify(delivery)}\n`);
}
