// The control socket of `homing serve`: in its state directory, with everything that it can be asked. Further questions get
// their handlers here.
import type { Forwarder, State } from "@homing/forwarder";
import { unixNow } from "../../time.ts";
import { startControl } from "./control-listener.ts";
import { controlPath } from "./control-protocol.ts";
import { createQueueHandlers } from "./queue-handlers.ts";

export interface ServiceControlOptions {
  /** Without one nothing is kept, and there is nothing to ask. */
  readonly state: State | undefined;
  readonly forwarder: Pick<Forwarder, "wakeQueue" | "droppedFromQueue">;
  readonly log: (event: object) => void;
  /** For whoever starts the service. */
  readonly warn: (message: string) => void;
}

export interface ServiceControl {
  close(): Promise<void>;
}

/** Mail goes on without it: a socket that cannot be had is a warning. */
export async function startServiceControl({
  state,
  forwarder,
  log,
  warn,
}: ServiceControlOptions): Promise<ServiceControl> {
  if (!state) return NO_CONTROL;
  const control = await startControl({
    path: controlPath(state.folder),
    handlers: createQueueHandlers({
      spool: state.spool,
      wake: forwarder.wakeQueue,
      dropped: forwarder.droppedFromQueue,
      now: unixNow,
      log,
    }),
    failed(error) {
      const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
      log({ event: "error", session: "", message });
    },
  });
  if (control.kind === "listening") return control;
  log({ event: "no-control", message: control.message });
  warn(`warning: ${control.message}; until then homing queue cannot ask this service`);
  return NO_CONTROL;
}

const NO_CONTROL: ServiceControl = { close: async () => {} };
