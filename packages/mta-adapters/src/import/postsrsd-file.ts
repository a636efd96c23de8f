// PostSRSd's configuration: of version 2 (postsrsd.conf), and of version 1 (/etc/default/postsrsd). Told apart by itself.
// Called by `homing import postsrsd`. The names and defaults are those of PostSRSd 2.3 and 1.10.
import type { Assignment, FileProblem } from "./assignments.ts";
import { parseConfuseFile } from "./confuse-file.ts";
import { settingsOfVersion1 } from "./postsrsd-one.ts";
import type { PostsrsdSettings } from "./postsrsd-settings.ts";
import { settingsOfVersion2 } from "./postsrsd-two.ts";
import { parseShellFile } from "./shell-file.ts";

export type PostsrsdFile =
  | { readonly ok: true; readonly settings: PostsrsdSettings }
  | { readonly ok: false; readonly problem: FileProblem };

/** A name in capitals with its equals sign: no setting of version 2 looks so. */
const OF_VERSION_1 = /^[ \t]{0,20}(?:export[ \t]{1,20})?[A-Z_]{1,60}=/m;

export function parsePostsrsdFile(text: string): PostsrsdFile {
  const version = OF_VERSION_1.test(text) ? 1 : 2;
  const file = version === 1 ? parseShellFile(text) : parseConfuseFile(text);
  if (!file.ok) return file;
  // The last one holds, in both.
  const byName = new Map<string, Assignment>(file.assignments.map((one) => [one.name, one]));
  return version === 1 ? settingsOfVersion1(byName) : settingsOfVersion2(byName);
}
