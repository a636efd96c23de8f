// What the adapters tell the log, one object each. Made by every adapter; written by the composition root.
import type { GuessAlarm } from "@homing/bounce-handler";

/** The kinds of listener, as commands and settings name them. */
export type AdapterName = "socketmap" | "tcpTables" | "policy" | "milter" | "spfd" | "readsocket";

export type AdapterEvent =
  /** A client said what the protocol does not know, or too much of it: its connection is closed. */
  | {
      readonly event: "adapter-fault";
      readonly adapter: AdapterName;
      /** `127.0.0.1:49152`; of a UNIX socket its path. */
      readonly peer: string;
      readonly fault: string;
    }
  /** More connections than are allowed: told once a minute at most. */
  | { readonly event: "adapter-busy"; readonly adapter: AdapterName; readonly connections: number }
  /** A sender was refused or deferred for SPF, or a recipient for its SRS tag. */
  | {
      readonly event: "adapter-refused";
      readonly adapter: AdapterName;
      readonly client: string;
      /** "" is the null sender. */
      readonly reversePath: string;
      readonly recipient: string;
      readonly reason: string;
      readonly reply: string;
    }
  /** The milter changed an envelope. */
  | {
      readonly event: "adapter-rewrote";
      readonly adapter: AdapterName;
      /** The mail server's queue id; "" where it told none. */
      readonly queueId: string;
      readonly reversePath: string;
      /** "" where it stays. */
      readonly newReversePath: string;
      readonly recipients: readonly { readonly recipient: string; readonly newRecipient: string }[];
    }
  /** The mail server does not let the milter do all that is configured: told once. */
  | { readonly event: "adapter-limited"; readonly adapter: AdapterName; readonly message: string }
  | ({ readonly event: "guessing" } & GuessAlarm)
  | { readonly event: "error"; readonly session: string; readonly message: string };

export type AdapterReport = (event: AdapterEvent) => void;
