// Starts a service of this benchmark and asks it what a run took. Called by main.ts.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Account } from "../mta/account.ts";
import type { FromService, Measured, ServiceOrder, ToService } from "./orders.ts";

const CODE = join(import.meta.dirname, "service.ts");

export interface ServiceProcess {
  readonly port: number;
  begin(): Promise<void>;
  /** Of what happened since `begin`. */
  end(): Promise<Measured>;
  stop(): Promise<void>;
}

/** It ends with this process: its channel closes. */
export async function startService(order: ServiceOrder, account: Account): Promise<ServiceProcess> {
  const child = fork(CODE, { execArgv: profilerOf(order) });
  if (child.pid !== undefined) account.adopt(child.pid);
  const ask = asking(child);
  const listening = await ask({ kind: "start", order });
  if (listening.kind !== "listening") throw new Error(`the service said ${listening.kind} at its start`);
  return {
    port: listening.port,
    async begin() {
      await ask({ kind: "begin" });
    },
    async end() {
      const answer = await ask({ kind: "end" });
      if (answer.kind !== "measured") throw new Error(`the service said ${answer.kind} at the end of a run`);
      return answer.measured;
    },
    async stop() {
      if (child.exitCode !== null) return;
      child.disconnect();
      await once(child, "exit");
    },
  };
}

/** HOMING_PROFILE=FOLDER: V8 writes there where the time of each thread goes. */
function profilerOf({ authentication }: ServiceOrder): string[] {
  const folder = process.env.HOMING_PROFILE;
  if (folder === undefined || !authentication?.sealKey) return [];
  return ["--cpu-prof", `--cpu-prof-dir=${folder}`];
}

type Ask = (message: ToService) => Promise<FromService>;

function asking(child: ChildProcess): Ask {
  const ended = once(child, "exit").then(() => {
    throw new Error("the service ended: see its words above");
  });
  ended.catch(() => {});
  return async (message) => {
    const answer = once(child, "message").then(([said]) => said as FromService);
    child.send(message);
    return await Promise.race([answer, ended]);
  };
}
