// A milter of somebody else's that refuses SRS recipients, and nothing else. Called by postfix-milter.test.ts.
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import type { TestContext } from "node:test";
import { createFrameReader, type Frame, renderFrame } from "../../packages/mta-adapters/src/milter/frames.ts";

const UNANSWERED = "DAKQ";

/** Its place, as main.cf writes it. */
export async function startRefusingMilter(t: TestContext): Promise<string> {
  const server = createServer((socket) => {
    const reader = createFrameReader();
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => reader.push(chunk, (frame) => void socket.write(answerTo(frame))));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return `inet:127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function answerTo({ letter, data }: Frame): Buffer {
  if (UNANSWERED.includes(letter)) return Buffer.alloc(0);
  // No changes, and no step left out.
  if (letter === "O") return renderFrame("O", data.subarray(0, 4), Buffer.alloc(8));
  if (letter === "R" && data.includes("SRS0"))
    return renderFrame("y", "550 5.7.1 refused by the other milter\0");
  return renderFrame("c");
}
