// Configurations of other programs, read. The package's entrance `@homing/mta-adapters/import`, for `homing import` alone.
export type { FileProblem } from "../import/assignments.ts";
export { type PostsrsdFile, parsePostsrsdFile } from "../import/postsrsd-file.ts";
export type { PostsrsdSettings } from "../import/postsrsd-settings.ts";
