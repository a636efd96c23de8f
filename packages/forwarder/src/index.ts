// The public names of the forwarder.
export { type AliasTable, type BuiltAliasTable, buildAliasTable } from "./alias-table.ts";
export { createMxResolver } from "./dns.ts";
export type { ForwarderEvent, Report } from "./events.ts";
export { blockList, type ForwarderSettings, startForwarder, type World } from "./forwarder.ts";
export { type HostPort, parseHostPort, renderHostPort } from "./host-port.ts";
export type { AddressAnswer, MxAnswer, MxResolver } from "./next-hops.ts";
export type { Problem } from "./problem.ts";
export { listenSmtp, type SmtpListener, type SmtpListenerOptions } from "./smtp-in.ts";
export { type Attempt, type Submission, submit } from "./smtp-out.ts";
export type { MailCommand, MailOutcome, SmtpClient, SmtpHandler, SmtpTransaction } from "./smtp-session.ts";
