// The map `dns`: which servers are asked. Called by schema.ts.
import * as z from "zod";
import { parseDnsServer } from "../dns-option.ts";

const dnsServer = z
  .string()
  .transform((text, context) => {
    const server = parseDnsServer(text);
    if (server) return server;
    context.addIssue({
      code: "custom",
      message: `"${text}" is no IP address of a DNS server, with its port or without: write 127.0.0.1 or [::1]:5353`,
    });
    return z.NEVER;
  })
  .meta({ type: "DNS server", typeMeaning: '`127.0.0.1`, `192.0.2.53:5353` or, in quotes, `"[::1]:53"`' });

export const dns = z
  .strictObject({
    servers: z
      .array(dnsServer)
      .default([])
      .describe("Resolvers, in the order in which they are asked; none: those of /etc/resolv.conf.")
      .meta({
        example: ["127.0.0.1"],
        notes:
          "one on this machine, such as unbound, answers fastest, and nobody between can forge its answers. The next " +
          "one is asked when one fails, or is silent for two seconds. Each must know all of DNS.",
      }),
  })
  .prefault({})
  .describe("Where names are looked up.");
