// The public names of the forwarder.
export {
  type AliasIndex,
  type AliasIndexFacts,
  type AliasIndexOptions,
  createAliasIndex,
} from "./alias-index/alias-index.ts";
export {
  type ContentCheckOptions,
  type ContentChecks,
  createContentChecks,
} from "./authentication/content/content-checks.ts";
export type { AuthenticationSettings } from "./authentication/from-settings.ts";
export type * from "./authentication/results.ts";
export { failuresAfter, type KeptFailure } from "./bounces/failure-events.ts";
export type { SentMail, SentTo, SettledMail } from "./bounces/sent-mail.ts";
export { createBoundedLines } from "./dot-forward/bounded-lines.ts";
export * from "./entrances/dns.ts";
export * from "./entrances/dot-forward.ts";
export * from "./entrances/settings.ts";
export * from "./entrances/tables.ts";
export * from "./entrances/trust.ts";
export * from "./entrances/users.ts";
export type { ForwarderEvent, Report } from "./events.ts";
export type { Forwarder, ForwarderSettings, World } from "./forwarder-settings.ts";
export { createClientCounts } from "./front/client-counts.ts";
export type { SmtpLimits } from "./front/limits.ts";
export type { LocalStore } from "./local-delivery.ts";
export type { AddressAnswer, MxAnswer, MxResolver, NextHop } from "./next-hops.ts";
export { listenSmtp, startForwarder, submit } from "./on-demand.ts";
export type { TxtAnswer } from "./outbound/sts-policies.ts";
export type { Post, PostedMail } from "./posted-mail.ts";
export type { Problem } from "./problem.ts";
export type { SmtpListener, SmtpListenerOptions, TlsFiles } from "./smtp-in.ts";
export type { Attempt, Submission } from "./smtp-out.ts";
export type { MailCommand, MailOutcome, SmtpClient, SmtpHandler, SmtpTransaction } from "./smtp-session.ts";
export type { Note, NoteChanges, Notes } from "./spool/notes.ts";
export type { QueuedRecipient, QueueEntry, Spool } from "./spool/spool.ts";
export { openState, type State } from "./state.ts";
export {
  createDovecotPasswords,
  type DovecotOptions,
  type DovecotPasswords,
} from "./submission/dovecot-passwords.ts";
export type { SubmissionPlaces, SubmissionSettings } from "./submission/listen.ts";
export { type CheckedHeader, checkHeader, type HeaderCheck } from "./submission/own-header.ts";
export type { Passwords } from "./submission/passwords.ts";
export { createPeople, type PeopleOptions } from "./submission/people.ts";
export { createScryptPasswords } from "./submission/scrypt-passwords.ts";
export {
  createSignCopies,
  type SignCopies,
  type SignFor,
  TOO_MUCH_TO_SIGN,
} from "./submission/sign-copies.ts";
export type * from "./submission/submission-policy.ts";
export { LogInUnavailable } from "./submission/unavailable.ts";
export { createLook, externalOctets } from "./threads/spent-memory.ts";
export { WorkRefused } from "./threads/work-refused.ts";
