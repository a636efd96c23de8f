// A client that speaks before it is greeted, however quick this process is: it comes from a thread of its own, and this one does
// nothing until the client has spoken. Used by the tests of SMTP in.
import { Worker } from "node:worker_threads";
import { type Place, within } from "./wire.ts";

const PATIENCE_MS = 15_000;

const CLIENT = `
  const { parentPort, workerData: { host, port, line, hasSpoken } } = require("node:worker_threads");
  const socket = require("node:net").connect(port, host, () => socket.write(line, () => {
    Atomics.store(hasSpoken, 0, 1);
    Atomics.notify(hasSpoken, 0);
  }));
  let heard = "";
  socket.setEncoding("latin1").on("data", (text) => { heard += text; });
  socket.on("error", () => {}).on("close", () => parentPort.postMessage(heard));
`;

/** @returns all that it hears until the server ends the connection */
export async function heardByEarlyTalker({ host = "127.0.0.1", port }: Place, line: string): Promise<string> {
  const hasSpoken = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(CLIENT, { eval: true, workerData: { host, port, line, hasSpoken } });
  const heard = new Promise<string>((resolve) => worker.once("message", resolve));
  if (Atomics.wait(hasSpoken, 0, 0, PATIENCE_MS) === "timed-out") throw new Error("the client did not speak");
  return await within(heard, "the end of an early talker's connection").finally(() => worker.terminate());
}
