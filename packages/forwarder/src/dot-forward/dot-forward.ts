// The public names of this folder. Called by the package's index.ts.
export { createBoundedReader, maxHomesOf } from "./bounded-reader.ts";
export { systemFiles } from "./file-access.ts";
export { createForwardClient, type ForwardClient } from "./forward-client.ts";
export type { ForwardTarget } from "./forward-file.ts";
export {
  createForwardPolicy,
  type ForwardAlarm,
  type ForwardChoice,
  type ForwardPolicy,
  type ForwardVerdict,
} from "./forward-policy.ts";
export type { ForwardAnswer, ForwardProblem, ForwardReader } from "./forward-reader.ts";
export { createHomes, parseHomePattern } from "./homes.ts";
export { createForwardReader } from "./read-forward.ts";
export { type ListenPlace, type ReaderServer, startReaderServer } from "./reader-server.ts";
