// The public names of the published package: a site's part. The service's part is in ../index.ts.
export { PROBLEMS, type ProblemType } from "../problem.ts";
export { onBehalf } from "./on-behalf-plugin.ts";
export type {
  Moment,
  OnBehalfOf,
  OnBehalfPlugin,
  OnBehalfPluginOptions,
  ProvenUser,
  UserAddress,
  UserIdentity,
  World,
} from "./options.ts";
export { type OnBehalfCode, OnBehalfError } from "./plugin-problem.ts";
export { type ProofQuestion, type VerifiedProof, verifyProof } from "./verify-proof.ts";
