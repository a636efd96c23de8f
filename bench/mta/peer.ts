// A mail server that is measured: what main.ts starts, and what the runs know of it.
// Implemented by homing-peer.ts, postfix-peer.ts and haraka-peer.ts.
import { connect } from "node:net";
import { Wire } from "../../packages/forwarder/src/testing/wire.ts";
import { waitFor } from "../../test/harness/wait.ts";
import type { Account } from "./account.ts";
import type { Sinks } from "./addresses.ts";

export const PEER_NAMES = ["postfix-postsrsd", "homing-durable", "homing-in-session", "haraka"] as const;
export type PeerName = (typeof PEER_NAMES)[number];

/** The one that ratios are made with. */
export const BASE: PeerName = "postfix-postsrsd";

export interface Peer {
  readonly name: PeerName;
  /** Of what is measured, for the head of the output. */
  readonly version: string;
  /** Of its SMTP listener on 127.0.0.1. */
  readonly port: number;
  readonly account: Account;
  /** A word that its 250 to mail has in this mode. Default: nobody looks. */
  readonly mailReply?: string;
  stop(): Promise<void>;
}

export interface Place {
  /** Its own, empty, on a real disk. */
  readonly folder: string;
  readonly sinks: Sinks;
  readonly account: Account;
}

/** A peer that cannot be had here is left out; the reason is one sentence for the user. */
export type Start =
  | { readonly ok: true; readonly peer: Peer }
  | { readonly ok: false; readonly reason: string };

const START_SECONDS = 20;

export interface Starting {
  readonly ended: boolean;
  tail(): string;
}

/** Waits until the program greets on its port. */
export async function waitForGreeting(port: number, program: Starting): Promise<void> {
  await waitFor(
    async () => {
      if (program.ended) throw new Error(`it ended at its start:\n${program.tail()}`);
      using wire = new Wire(connect(port, "127.0.0.1"));
      return (await wire.line())?.startsWith("220") || undefined;
    },
    { seconds: START_SECONDS, otherwise: () => `no greeting on port ${port}:\n${program.tail()}` },
  );
}
