// The map `http`: the page that says why mail was refused, and what web sites and their users need. Called by schema.ts.
import { MAX_PUBLIC_URL } from "@homing/forwarder/settings";
import * as z from "zod";
import { hostPort } from "./setting-types.ts";

const publicUrl = z
  .string()
  .transform((text, context) => {
    const problem = urlProblem(text);
    if (problem === undefined) return text.endsWith("/") ? text.slice(0, -1) : text;
    context.addIssue({
      code: "custom",
      message: `${problem}: write one such as https://mx.forwarder.example`,
    });
    return z.NEVER;
  })
  .meta({
    type: "URL",
    typeMeaning: "`https://mx.forwarder.example`, with a path or without, and nothing behind that",
  });

export const http = z
  .strictObject({
    listen: hostPort.prefault("127.0.0.1:8025").describe("Address and port of the HTTP server."),
    publicUrl: publicUrl.describe("How the world reaches it: links in replies begin so.").meta({
      example: "https://mx.forwarder.example",
      notes:
        "it speaks plain HTTP: TLS is the matter of the web server in front of it, which passes `/why` and `/` below " +
        "this URL on; for web sites `/v1`, `/confirm`, `/mine` and `/problems`, too.",
    }),
  })
  .describe(
    "The page that says why mail was refused, see [why-page.md](why-page.md), and the API and the pages of " +
      "[web sites](on-behalf.md). Without it there are none.",
  );

/** It is written into replies as it is, so it must be one word of ASCII; a name in other letters has its A-label. */
const PLAIN = /^https?:\/\/[A-Za-z0-9.\-:[\]]+(?:\/[A-Za-z0-9._~/-]*)?$/;

function urlProblem(text: string): string | undefined {
  if (!PLAIN.test(text) || !URL.canParse(text)) return `"${text}" is no URL of a server`;
  return text.length > MAX_PUBLIC_URL
    ? `has ${text.length} characters, and a link has room for ${MAX_PUBLIC_URL}`
    : undefined;
}
