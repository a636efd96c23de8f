// The public names of on-behalf.

export { addressKey } from "./address-key.ts";
export { createOnBehalf } from "./create-on-behalf.ts";
export type { Admissions, Admitted, MessageChanges, TakenMessage, Wish } from "./messages/admissions.ts";
export { MESSAGE_LIMITS } from "./messages/check-request.ts";
export { messageIdOf } from "./messages/message-record.ts";
export type * from "./on-behalf.ts";
export { onBehalf } from "./plugin/on-behalf-plugin.ts";
export type { OnBehalfOf, OnBehalfPlugin, OnBehalfPluginOptions, World } from "./plugin/options.ts";
export { type OnBehalfCode, OnBehalfError } from "./plugin/plugin-problem.ts";
export { verifyProof } from "./plugin/verify-proof.ts";
export { PROBLEMS, type Problem, type ProblemType, type Refused, refused } from "./problem.ts";
export { type FromMode, type Profile, SITE_LIMITS, type Site, type SiteLimits } from "./site.ts";
export type { Changes, Fact, FactName, FactSort, Mail, OnBehalfStore } from "./store.ts";
export type {
  AdmittedMessage,
  SiteSender,
  Submissions,
  SubmittedMessage,
} from "./submissions/submissions.ts";
export { createTokens, publicTokens } from "./tokens/create-tokens.ts";
export type { OpenedToken, Purpose, TokenFacts, Tokens } from "./tokens/tokens.ts";
