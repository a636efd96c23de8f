// The public names of on-behalf.

export { addressKey } from "./address-key.ts";
export { createOnBehalf } from "./create-on-behalf.ts";
export type * from "./on-behalf.ts";
export { onBehalf } from "./plugin/on-behalf-plugin.ts";
export type { OnBehalfOf, OnBehalfPlugin, OnBehalfPluginOptions, World } from "./plugin/options.ts";
export { type OnBehalfCode, OnBehalfError } from "./plugin/plugin-problem.ts";
export { verifyProof } from "./plugin/verify-proof.ts";
export { PROBLEMS, type Problem, type ProblemType, type Refused, refused } from "./problem.ts";
export { SITE_LIMITS, type Site } from "./site.ts";
export type { Changes, Fact, Mail, OnBehalfStore } from "./store.ts";
export type { AdmittedMessage, SiteSender, Submissions } from "./submissions/submissions.ts";
export { createTokens } from "./tokens/create-tokens.ts";
