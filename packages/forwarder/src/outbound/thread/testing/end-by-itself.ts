// Hands one message to a thread of SMTP out, and does not close it: the process ends all the same. Started by tests.
import { memoryContent } from "@homing/mail";
import { systemClock } from "../../clock.ts";
import { createOutboundThread } from "../outbound-thread.ts";

const outbound = createOutboundThread({
  ...{ hostname: "mx.test", clock: systemClock, random: () => 0 },
  failed(error) {
    throw error;
  },
});
const attempt = await outbound.submit({
  hop: { host: "127.0.0.1", port: 1 },
  patience: { kind: "queue" },
  envelope: {
    reversePath: { localPart: "a", domain: "b.test" },
    recipient: { localPart: "c", domain: "d.test" },
    eightBit: false,
    smtpUtf8: false,
  },
  message: memoryContent(Buffer.from("x\r\n")),
});
process.stdout.write(attempt.kind);
