// What main.ts and the process of a service say to each other. Read by service.ts and service-process.ts.
import type { DkimKey } from "@homing/forwarder";
import type { Records } from "./senders.ts";

export interface ServiceOrder {
  readonly sinkPort: number;
  /** Undefined: nobody is checked, the plain path. */
  readonly authentication:
    | { readonly records: Records; readonly threads: number; readonly sealKey: DkimKey | undefined }
    | undefined;
}

export type ToService =
  | { readonly kind: "start"; readonly order: ServiceOrder }
  /** A run begins. */
  | { readonly kind: "begin" }
  /** It is over: how was it? */
  | { readonly kind: "end" };

export type FromService =
  | { readonly kind: "listening"; readonly port: number }
  | { readonly kind: "begun" }
  | { readonly kind: "measured"; readonly measured: Measured };

/** Of one run, as the process itself saw it. */
export interface Measured {
  /** User and system, of all its threads. */
  readonly cpuSeconds: number;
  /** Of the thread that all mail goes through. */
  readonly mainThreadCpuSeconds: number;
  /** Milliseconds between two turns of that thread's event loop; 1 is the least that is told. */
  readonly delay: { readonly p50: number; readonly p99: number; readonly max: number };
  /** Messages whose SPF passed, and DMARC, and DKIM as far as they were signed. */
  readonly authenticated: number;
  readonly signaturesGood: number;
  /** Everything that should not have been: refusals, errors, mail that was not sealed. The first of each kind. */
  readonly faults: readonly string[];
}
