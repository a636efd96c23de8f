// The public names of the forwarder.
export {
  type AliasIndex,
  type AliasIndexFacts,
  type AliasIndexOptions,
  createAliasIndex,
} from "./alias-index/alias-index.ts";
export { createMessageSigner, type DkimKey, NOT_SIGNED, type SignMessage } from "./authenticate.ts";
export { CheckRefused } from "./authentication/content/check-refused.ts";
export {
  type ContentCheckOptions,
  type ContentChecks,
  createContentChecks,
} from "./authentication/content/content-checks.ts";
export type { AuthenticationSettings } from "./authentication/from-settings.ts";
export type * from "./authentication/results.ts";
export {
  type Action,
  AUTHENTICATION_POLICY,
  type AuthenticationPolicy,
} from "./authentication/settings.ts";
export {
  BOUNCE_SETTINGS,
  type BouncePolicy,
  type BouncePolicyOptions,
  type BounceSettings,
  bounceSettingsKey,
  createBouncePolicy,
  type ReturnClass,
  type ReturnWay,
} from "./bounces/bounce-settings.ts";
export { failuresAfter, type KeptFailure } from "./bounces/failure-events.ts";
export type { SentMail, SentTo, SettledMail } from "./bounces/sent-mail.ts";
export { isListed } from "./client-networks.ts";
export { createDns, type Dns, type DnsOptions } from "./dns/dns.ts";
export { mxResolver, txtLookup } from "./dns/users.ts";
export { createBoundedLines } from "./dot-forward/bounded-lines.ts";
export * from "./dot-forward/dot-forward.ts";
export type { ForwarderEvent, Report } from "./events.ts";
export { followUsers, type UserForwards } from "./follow-users.ts";
export type { Forwarder, ForwarderSettings, World } from "./forwarder-settings.ts";
export { createClientCounts } from "./front/client-counts.ts";
export { isOnTmpfs } from "./front/disk-space.ts";
export type { SmtpLimits } from "./front/limits.ts";
export { type HostPort, parseHostPort, renderHostPort } from "./host-port.ts";
export type { LocalStore } from "./local-delivery.ts";
export { maildirOf, maildirPatternProblem } from "./maildir-folder.ts";
export { blockList, createMayConnect } from "./networks.ts";
export type { AddressAnswer, MxAnswer, MxResolver, NextHop } from "./next-hops.ts";
export { listenSmtp, startForwarder, submit } from "./on-demand.ts";
export { type Clock, systemClock } from "./outbound/clock.ts";
export { OUTBOUND_LIMITS, type OutboundLimits } from "./outbound/outbound-limits.ts";
export type { TxtAnswer } from "./outbound/sts-policies.ts";
export type { Post, PostedMail } from "./posted-mail.ts";
export type { Problem } from "./problem.ts";
export { QUEUE_TIMES, type QueueTimes } from "./queue/next-step.ts";
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
export {
  hashPassword,
  parsePasswordHash,
  verifyPassword,
} from "./submission/password-hash.ts";
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
export {
  addressKey as ownKey,
  nameKey,
  nameProblem,
  type OwnAddresses,
  type ParsedUsers,
  parseAddresses,
  parseUsersFile,
  type User,
  type Users,
} from "./submission/users-file.ts";
export type { Entry, FilePlace, TableProblem } from "./tables/entry.ts";
export { follow, type Step } from "./tables/follow.ts";
export { type Destination, type Dropped, type Followed, SET_UP_WRONGLY } from "./tables/followed.ts";
export type { OpenTable } from "./tables/included-lists.ts";
export { type LoadedTables, loadTables, type TableFiles } from "./tables/load-tables.ts";
export { type ParsedRefusal, parseRefusal } from "./tables/refusal.ts";
export { createTableRules, isOurs, type TableRules, type Tables, UNKNOWN_ADDRESS } from "./tables/tables.ts";
export { parseForwarderFile } from "./trust/forwarder-file.ts";
export { expiredEntries, type TrustedForwarder } from "./trust/trust-entry.ts";
export { createTrustedForwarders } from "./trust/trusted-forwarders.ts";
export { createWhyLinks, MAX_PUBLIC_URL, type WhyFacts, type WhyLinks, whyFacts } from "./why-link.ts";
