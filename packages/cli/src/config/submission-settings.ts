// The map `submission`: where people and sites hand in their own mail. Called by schema.ts.
import * as z from "zod";
import { fileName, hostPort } from "./setting-types.ts";

export const submission = z
  .strictObject({
    listen: hostPort
      .optional()
      .describe("Address and port for clients that begin in plain text and ask for STARTTLS: port 587.")
      .meta({ example: "0.0.0.0:587" }),
    listenTls: hostPort
      .optional()
      .describe("Address and port for clients that begin with TLS: port 465.")
      .meta({
        example: "0.0.0.0:465",
        notes: "RFC 8314 §3.3 prefers it: nothing is ever said in plain text.",
      }),
    usersFile: fileName
      .optional()
      .describe("People: a line `name:hash:addresses` for each; `homing users` looks after it; mode 600.")
      .meta({ example: "users", notes: "SIGHUP takes a new file. See [submission.md](submission.md)." }),
    dovecotSocket: z
      .string()
      .regex(/^\//, "is no path from / on: write the auth-client socket of Dovecot")
      .optional()
      .describe(
        "Dovecot's socket for authentication: passwords are its matter, addresses those of usersFile.",
      )
      .meta({ type: "path", example: "/run/dovecot/auth-client" }),
  })
  .describe(
    "Mail that people and sites hand in, after they have logged in, see [submission.md](submission.md).",
  )
  .meta({ notes: "it needs `tls`, since nobody logs in in plain text, and `stateDirectory`." });
