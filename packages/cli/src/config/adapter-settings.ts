// The map `adapters`: listeners for other mail servers. Called by schema.ts.
import { parseHostPort } from "@homing/forwarder/host-port";
import { parseDomain } from "@homing/srs-core";
import * as z from "zod";
import { fileName, wholeNumber } from "./setting-types.ts";

/** Where an adapter listens. */
export type Place = { readonly host: string; readonly port: number } | { readonly path: string };

const PLACE_WORDS = "write HOST:PORT, as in 127.0.0.1:10003, or unix:/path";

const place = z
  .string()
  .transform((text, context): Place => {
    const parsed = parsePlace(text);
    if (parsed) return parsed;
    context.addIssue({ code: "custom", message: whyNoPlace(text) });
    return z.NEVER;
  })
  .meta({
    type: "place",
    typeMeaning:
      "`127.0.0.1:10003`, or `unix:/var/spool/postfix/homing/socketmap` for a UNIX socket, which only those may ask who " +
      "its mode lets in",
  });

/** sun_path has 108 octets, and a NUL behind it. */
const MAX_PATH = 107;

/** `inet:` before HOST:PORT, as Postfix and PostSRSd write it, is read, too. */
export function parsePlace(text: string): Place | undefined {
  if (text.startsWith("unix:")) {
    const path = text.slice("unix:".length);
    return path.startsWith("/") && Buffer.byteLength(path) <= MAX_PATH ? { path } : undefined;
  }
  return parseHostPort(text.startsWith("inet:") ? text.slice("inet:".length) : text);
}

function whyNoPlace(text: string): string {
  const path = /^unix:(.*)$/s.exec(text)?.[1] ?? "";
  if (path.startsWith("/"))
    return (
      `this path has ${Buffer.byteLength(path)} octets, and a UNIX socket can have ${MAX_PATH}: ` +
      "write a shorter one"
    );
  if (path !== "") return `"${path}" does not begin with a slash: write the whole path, as in unix:/path`;
  return `"${text}" is no place to listen at: ${PLACE_WORDS}`;
}

const places = z.preprocess(
  (value) => (typeof value === "string" ? [value] : value),
  z.array(place).min(1, `is empty: ${PLACE_WORDS}`),
);

const account = z.union([z.string().min(1, "is empty: write a name or a number"), z.int().min(0)]);

const socket = {
  mode: z
    // 0660 without quotes is the number 660 to one YAML, and 432 to another.
    .string('is a number to YAML: put it in quotes, as in "0660"')
    .regex(/^0?[0-7]{3}$/, 'is no mode: write three octal digits (0 to 7) in quotes, as in "0660"')
    .default("0660")
    .describe("Who may use its UNIX sockets."),
  owner: account
    .optional()
    .describe("User who owns its UNIX sockets: a name or a number.")
    .meta({ type: "account", without: "who runs the service", example: "postfix" }),
  group: account
    .optional()
    .describe("Group of its UNIX sockets: a name or a number.")
    .meta({ type: "account", without: "the group of the service", example: "postfix" }),
  connections: wholeNumber(1, 10_000)
    .default(1000)
    .describe("Connections at the same time at each place; further ones are closed."),
};

const listenAt = (example: string) =>
  places.describe("Where it listens: one place, or a list.").meta({ example: [example] });

const socketmap = z
  .strictObject({ listen: listenAt("unix:/var/spool/postfix/homing/socketmap"), ...socket })
  .describe("Postfix's socketmap_table(5) and Sendmail's socket map: maps forward, reverse, reject.");

const tcpTables = z
  .strictObject({
    forward: place.optional().describe("Where the map forward is.").meta({ example: "127.0.0.1:10001" }),
    reverse: place.optional().describe("Where the map reverse is.").meta({ example: "127.0.0.1:10002" }),
    reject: place.optional().describe("Where the map reject is.").meta({ example: "127.0.0.1:10003" }),
    ...socket,
  })
  .refine(({ forward, reverse, reject }) => forward ?? reverse ?? reject, {
    error: "serves no map: write forward, reverse or reject",
  })
  .describe("The same maps for tcp_table(5), as PostSRSd 1 has them: a port for each.");

const policy = z
  .strictObject({ listen: listenAt("unix:/var/spool/postfix/homing/policy"), ...socket })
  .describe(
    "Postfix's policy delegation: SPF, and forged SRS recipients refused. See [policy.md](policy.md).",
  );

const milter = z
  .strictObject({
    listen: listenAt("127.0.0.1:10005"),
    rewrite: z
      .enum(["leaving", "always", "never"])
      .default("leaving")
      .describe(
        "Rewrite the sender where a recipient leaves the site, as far as the tables tell; or always.",
      ),
    lazy: z
      .boolean()
      .default(false)
      .describe("Rewrite only where one of `ownAddresses` would fail the sender's SPF.")
      .meta({
        notes:
          "a bounce to a sender who is not rewritten goes straight to him, with the private address in it.",
      }),
    ownAddresses: z
      .array(z.union([z.ipv4(), z.ipv6()]))
      .default([])
      .describe("From which this site sends: for `lazy`.")
      .meta({ type: "list of IP addresses", example: ["192.0.2.25"] }),
    bounces: z
      .enum(["unwrap", "keep"])
      .default("unwrap")
      .describe("Put the original sender in place of a good SRS recipient, or only refuse the forged ones.")
      .meta({
        notes:
          "`keep` is for a site whose SRS domain is routed to `homing serve`, which returns bounces without the private " +
          "address.",
      }),
    ...socket,
  })
  .superRefine(({ lazy, ownAddresses }, context) => {
    if (lazy && ownAddresses.length === 0)
      context.addIssue({
        code: "custom",
        path: ["lazy"],
        message:
          "cannot tell whether SPF would fail without ownAddresses: write the addresses that you send from",
      });
  })
  .describe("SPF and SRS for Postfix and Sendmail in one. See [milter.md](milter.md).");

const spfd = z
  .strictObject({ listen: listenAt("127.0.0.1:5970"), ...socket })
  .describe("The protocol of Mail::SPF's spfd, in its old form, too. See [spfd.md](spfd.md).");

const readsocket = z
  .strictObject({ listen: listenAt("unix:/run/homing/readsocket"), ...socket })
  .describe("One question and one answer a connection: for Exim, `homing pipe` and qpsmtpd.");

/** A leading dot stands for all domains below, as in PostSRSd and Postfix. */
const ownDomain = z
  .string()
  .transform((text, context) => {
    const parsed = parseDomain(text.startsWith(".") ? text.slice(1) : text);
    if (parsed.ok) return `${text.startsWith(".") ? "." : ""}${parsed.domain}`;
    context.addIssue({ code: "custom", message: `${parsed.message}: write club.example or .club.example` });
    return z.NEVER;
  })
  .meta({
    type: "domain or parent",
    typeMeaning: "`club.example`, or `.club.example` for every domain below it",
  });

export const adapters = z
  .strictObject({
    socketmap: socketmap.optional(),
    tcpTables: tcpTables.optional(),
    policy: policy.optional(),
    milter: milter.optional(),
    spfd: spfd.optional(),
    readsocket: readsocket.optional(),
    ownDomains: z
      .array(ownDomain)
      .default([])
      .describe("Senders at these are not rewritten either: beside `domains` and the SRS domains.")
      .meta({ example: [".customers.example"] }),
    ownDomainsFiles: z
      .array(fileName)
      .default([])
      .describe("Files of such domains, the first word of each line; read anew when they change.")
      .meta({ example: ["own-domains"], notes: "a Postfix table whose keys are domains is such a file." }),
    autoReplies: z
      .enum(["refuse", "accept"])
      .default("refuse")
      .describe("What policy and milter do with mail to a good SRS address that has a sender of its own.")
      .meta({
        notes:
          "such an address is seen by every recipient, who could write to the original sender through this site. A bounce " +
          "has no sender.",
      }),
  })
  .describe("SRS and SPF for the mail server that you already run. See [mta.md](mta.md).");

export type AdapterSettings = z.output<typeof adapters>;
