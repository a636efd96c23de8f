// The one file that imports smtp-server (ADR 0009): its three classes, which those of ours beside it extend. Members with `_`
// are not its contract; each override has a test in smtp-in*.test.ts that fails when an upgrade breaks it.
export { SMTPServer, type SMTPServerSession } from "smtp-server";
export { SMTPConnection, type SMTPConnectionOptions } from "smtp-server/lib/smtp-connection.js";
export type { SMTPStream } from "smtp-server/lib/smtp-stream.js";
