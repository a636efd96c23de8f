// What a configuration says of a forwarder: defaults, limits, and texts that are read into values. The package's entrance
// `@homing/forwarder/settings`: whoever reads homing.yaml needs no SMTP service for that.
export { createMessageSigner, type DkimKey, NOT_SIGNED, type SignMessage } from "../authenticate.ts";
export {
  type Action,
  AUTHENTICATION_POLICY,
  type AuthenticationPolicy,
} from "../authentication/settings.ts";
export {
  BOUNCE_SETTINGS,
  type BouncePolicy,
  type BouncePolicyOptions,
  type BounceSettings,
  bounceSettingsKey,
  createBouncePolicy,
  type ReturnClass,
  type ReturnWay,
} from "../bounces/bounce-settings.ts";
export { isOnTmpfs } from "../front/disk-space.ts";
export { type HostPort, parseHostPort, renderHostPort } from "../host-port.ts";
export { maildirOf, maildirPatternProblem } from "../maildir-folder.ts";
export { OUTBOUND_LIMITS, type OutboundLimits } from "../outbound/outbound-limits.ts";
export { QUEUE_TIMES, type QueueTimes } from "../queue/next-step.ts";
export { KEPT_SENDERS, type KeptSendersAlarm } from "../spool/kept-limits.ts";
export { type ParsedRefusal, parseRefusal } from "../tables/refusal.ts";
export { UNKNOWN_ADDRESS } from "../tables/tables.ts";
export { createWhyLinks, MAX_PUBLIC_URL, type WhyFacts, type WhyLinks, whyFacts } from "../why-link.ts";
