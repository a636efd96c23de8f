// The one file that imports smtp-server (ADR 0009): its three classes, which those of ours beside it extend. Members with `_`
// are not its contract; each override has a test in smtp-in*.test.ts that fails when an upgrade breaks it.
import type * as ServerModule from "smtp-server";
import type * as ConnectionModule from "smtp-server/lib/smtp-connection.js";
import { asCommonJs } from "../as-commonjs.ts";

export const { SMTPServer } = asCommonJs("smtp-server") as typeof ServerModule;
export type SMTPServer = ServerModule.SMTPServer;
export type SMTPServerSession = ServerModule.SMTPServerSession;
export const { SMTPConnection } = asCommonJs("smtp-server/lib/smtp-connection.js") as typeof ConnectionModule;
export type SMTPConnection = ConnectionModule.SMTPConnection;
export type SMTPConnectionOptions = ConnectionModule.SMTPConnectionOptions;
export type { SMTPStream } from "smtp-server/lib/smtp-stream.js";
