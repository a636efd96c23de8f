// A question about SPF as lines, and the words of its answer: `homing spfquery` has both as spfd, and starts for every question. The
// package's entrance `@homing/mta-adapters/spfquery`.
export { parseSpfRequest, type SpfAsked, type SpfRequest } from "../spfd/spf-request.ts";
export { type SpfWords, spfWords } from "../spfd/spf-words.ts";
