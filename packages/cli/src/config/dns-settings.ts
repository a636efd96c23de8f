// The map `dns`: which servers are asked. Called by schema.ts.
import { isIP } from "node:net";
import * as z from "zod";
import { hostPort } from "./setting-types.ts";

const dnsServer = hostPort.refine(
  ({ host, port }) => isIP(host) !== 0 && port > 0,
  "is not the IP address and port of a DNS server: write 127.0.0.1:53",
);

export const dns = z
  .strictObject({
    servers: z
      .array(dnsServer)
      .default([])
      .describe("Resolvers, in the order in which they are asked; none: those of /etc/resolv.conf.")
      .meta({
        example: ["127.0.0.1:53"],
        notes:
          "one on this machine, such as unbound, answers fastest, and nobody between can forge its answers. The next " +
          "one is asked when one fails, or is silent for two seconds. Each must know all of DNS.",
      }),
  })
  .prefault({})
  .describe("Where names are looked up.");
