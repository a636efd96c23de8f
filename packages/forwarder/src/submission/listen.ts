// The submission ports, put together: 587 and 465 with the limits of port 25, and a handler of their own. Called by forwarder.ts.
import type { Asked } from "@homing/bounce-handler";
import type { Reply } from "@homing/mail";
import type { Mailbox } from "@homing/srs-core";
import type { SentMail } from "../bounces/sent-mail.ts";
import type { SmtpServerOptions } from "../front/front.ts";
import type { Incoming } from "../hand-over/incoming.ts";
import type { ReceiveOptions } from "../receive.ts";
import { type ListenPlace, listenSmtp, type SmtpListener, type TlsFiles } from "../smtp-in.ts";
import type { NoteChanges } from "../spool/notes.ts";
import { createLogInDesk } from "./log-in-desk.ts";
import { createSubmissionHandler } from "./submission-handler.ts";
import type { SubmissionPolicy } from "./submission-policy.ts";

export interface SubmissionSettings {
  readonly policy: SubmissionPolicy;
  /** Begins in plain text, and nobody may log in before STARTTLS: port 587. */
  readonly listen?: ListenPlace | undefined;
  /** TLS from the first octet: port 465. */
  readonly listenTls?: ListenPlace | undefined;
}

export interface SubmissionPlaces {
  readonly listen?: Pick<SmtpListener, "host" | "port" | "counts">;
  readonly listenTls?: Pick<SmtpListener, "host" | "port" | "counts">;
}

export interface SubmissionPorts extends SubmissionPlaces {
  replaceTls(tls: TlsFiles): void;
  close(): Promise<void>;
}

export interface SubmissionSurroundings {
  readonly server: SmtpServerOptions;
  readonly receiving: ReceiveOptions;
  /** Of sites. */
  readonly sentMail?: Pick<SentMail, "rewriters" | "settled"> | undefined;
  readonly authservId: string;
  readonly isOutside: (domain: string) => boolean;
  readonly keep: (mail: Incoming, notes?: NoteChanges) => Promise<Reply>;
}

export const NO_SUBMISSION: SubmissionPorts = { replaceTls() {}, async close() {} };

/** Rejects with the system's error where a port cannot be had, and then listens nowhere. */
export async function listenForSubmission(
  { policy, listen, listenTls }: SubmissionSettings,
  { server, receiving, ...around }: SubmissionSurroundings,
): Promise<SubmissionPorts> {
  if (!server.tls) throw new Error("submission wants a certificate: nobody logs in in plain text");
  if (server.stateFolder === undefined) throw new Error("submission wants a state directory for its queue");
  const { routes, now, report } = receiving;
  const handler = createSubmissionHandler({
    ...receiving,
    ...around,
    isOutside: ({ domain }: Mailbox) => around.isOutside(domain),
    routeOf: (recipient, { reversePath }, asked: Asked) => routes.route(recipient, reversePath, asked),
    logIn: createLogInDesk({ policy, now, report }),
  });
  const plain = listen && (await listenSmtp({ ...server, ...listen }, handler));
  let direct: SmtpListener | undefined;
  try {
    direct = listenTls && (await listenSmtp({ ...server, ...listenTls, implicitTls: true }, handler));
  } catch (error) {
    await plain?.close();
    throw error;
  }
  return {
    ...(plain ? { listen: plain } : {}),
    ...(direct ? { listenTls: direct } : {}),
    replaceTls(tls) {
      plain?.replaceTls(tls);
      direct?.replaceTls(tls);
    },
    async close() {
      await Promise.all([plain?.close(), direct?.close()]);
    },
  };
}
