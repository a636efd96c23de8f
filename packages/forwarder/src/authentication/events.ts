// What the checks of a sender found, as events: the log prints them. Told by the files beside this one.
import type { SpfResult } from "@homing/spf";
import type { Fault, Mark, Verdict } from "./policy.ts";
import type { DkimResult, DmarcResult } from "./results.ts";
import type { Action } from "./settings.ts";

export type AuthenticationEvent =
  /** What was found about a message's sender, and what becomes of it. */
  | {
      readonly event: "authenticated";
      readonly id: string;
      readonly session: string;
      /** Who came to us, or to a relay of ours. */
      readonly client: string;
      readonly reversePath: string;
      readonly spf: SpfResult;
      /** The term that decided. */
      readonly mechanism?: string;
      readonly dkim: readonly {
        readonly domain: string;
        readonly result: DkimResult["result"];
        readonly aligned: boolean;
      }[];
      /** "" where there is no one domain in it. */
      readonly headerFrom: string;
      readonly dmarc: DmarcResult["result"];
      /** What its domain asks receivers to do with a fail. */
      readonly policy: DmarcResult["policy"];
      readonly arc: "none" | "pass" | "fail" | "temperror";
      readonly verdict: Action;
      readonly fault?: Fault;
      /** In mode `tagOnly` a DNS list; or that nobody knows who came to a relay of ours. */
      readonly mark?: Mark;
      /** In mode `tagOnly`: what it would have been. */
      readonly would?: Action;
      readonly overridden?: Verdict["overridden"];
      /** The entry of the trusted forwarders that was used. */
      readonly trusted?: { readonly line: number; readonly entry: string; readonly reason: string };
      /** Forwarded, it fails DMARC: SPF is not aligned any more, and no aligned signature is good. */
      readonly atRisk: boolean;
    }
  /** Mail of a relay of ours, whose trace does not say who came to it: SPF was not asked. */
  | { readonly event: "not-authenticated"; readonly id: string; readonly client: string }
  /** Who brought a bounce; it is taken whatever SPF says. */
  | {
      readonly event: "bounce-client";
      readonly id: string;
      readonly client: string;
      readonly spf: SpfResult;
      readonly domain: string;
    }
  /** An alarm: mail leaves without the ARC seal that it should have. */
  | { readonly event: "not-sealed"; readonly id: string; readonly cause: string }
  /** A DNS list did not say whether somebody is listed: he was taken for one who is not. */
  | { readonly event: "list-unknown"; readonly cause: string }
  /** A trusted forwarder rewrites or seals now: its entry is not needed any more. */
  | {
      readonly event: "trust-not-needed";
      readonly entry: string;
      readonly why: string;
      readonly messages: number;
    };
