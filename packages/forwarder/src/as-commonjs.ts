// nodemailer's connection, and smtp-server, as CommonJS. Their ES modules import node:http, for which Node makes a namespace of
// everything that is in it, and loads undici for its WebSocket: 3 MB of heap in each thread, and 15 MB while it is loaded, that
// nothing here uses. Called by smtp-in/library.ts and smtp-out.ts, the files that know these libraries.
import { createRequire } from "node:module";

export const asCommonJs: (library: string) => unknown = createRequire(import.meta.url);
