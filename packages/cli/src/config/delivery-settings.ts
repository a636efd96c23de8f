// The map `delivery`: where mail goes, and how long its client waits for that. Called by schema.ts.
import { OUTBOUND_LIMITS } from "@homing/forwarder/settings";
import * as z from "zod";
import { fileName, network, nextHop, nextHopByDomain, wholeNumber } from "./setting-types.ts";

const waits = z
  .strictObject({
    verifiedSeconds: wholeNumber(0, 240)
      .default(15)
      .describe("A client whose sender is verified; then its message goes to the queue."),
    unverifiedSeconds: wholeNumber(30, 540)
      .default(240)
      .describe("All other clients; then they hear 451.")
      .meta({ notes: "clients wait ten minutes at most (RFC 5321 §4.5.3.2.6)." }),
  })
  .prefault({})
  .describe("How long a client waits after its message, while a next hop is asked.");

const connections = z
  .strictObject({
    perServer: wholeNumber(1, 1000)
      .default(OUTBOUND_LIMITS.maxConnections)
      .describe("To one server, whoever waits for them."),
    perServerOfQueue: wholeNumber(1, 1000)
      .default(OUTBOUND_LIMITS.queueConnections)
      .describe("Of those, for mail from the queue."),
    inAll: wholeNumber(1, 10_000).default(OUTBOUND_LIMITS.maxTotal).describe("To all servers."),
    messages: wholeNumber(1, 100_000)
      .default(OUTBOUND_LIMITS.maxMessagesPerConnection)
      .describe("Over one connection."),
    idleSeconds: wholeNumber(0, 300)
      .default(OUTBOUND_LIMITS.idleSeconds)
      .describe("How long a connection stays open for the next message."),
  })
  .prefault({})
  .describe("Connections to next hops.");

export const delivery = z
  .strictObject({
    routes: nextHopByDomain
      .default({})
      .describe("Fixed next hops by destination domain.")
      .meta({
        example: { "partner.example": "192.0.2.10:25" },
        notes:
          "a route is for exactly that domain, there are no patterns. Without a route and a smart host, " +
          "the MX records are asked. A target that is an address literal needs a route or a smart host. " +
          "Ports are 1 to 65535.",
      }),
    privateNetworks: z
      .array(network)
      .default([])
      .describe("Private networks to which MX records may lead.")
      .meta({
        example: ["192.168.7.0/24"],
        notes:
          "else MX records that lead to this machine or to a private network are passed over, and a domain without " +
          "any other is refused (5.4.4): whoever writes an address has DNS of his own. Routes and the smart host may " +
          "be anywhere. Sites whose way out is NAT64 name 64:ff9b::/96 here.",
      }),
    smartHost: nextHop
      .optional()
      .describe("Takes everything that has no route; without it the MX records are asked.")
      .meta({ example: "relay.provider.example:25" }),
    smartHostTls: z
      .enum(["opportunistic", "required", "required-verified"])
      .optional()
      .describe("Whether the smart host must speak TLS, and have a certificate that is good for its name.")
      .meta({
        without: "`opportunistic`, and `required-verified` with `smartHostLogin`",
        example: "required-verified",
      }),
    smartHostImplicitTls: z
      .boolean()
      .optional()
      .describe("Speak TLS to the smart host from the first octet, in place of STARTTLS.")
      .meta({
        without: "`true` on port 465, otherwise `false`",
        example: false,
        notes: "port 465 is for TLS alone (RFC 8314 §3.3). A smart host that breaks it off gets no mail.",
      }),
    smartHostLogin: z
      .strictObject({
        user: z
          .string()
          .min(1, "is empty: write the user's name")
          .describe("The user.")
          .meta({ example: "forwarder" }),
        passwordFile: fileName
          .describe("File with the password on its first line; mode 600.")
          .meta({ example: "smart-host-password" }),
      })
      .optional()
      .describe("For AUTH at the smart host."),
    mtaSts: z
      .boolean()
      .default(true)
      .describe(
        "Honour the MTA-STS policies of domains (RFC 8461): verified TLS with the hosts that they name.",
      ),
    connections,
    messagesPerSecond: wholeNumber(1, 100_000)
      .optional()
      .describe("At most so many to one server.")
      .meta({ without: "no limit", example: 20 }),
    forwardedFields: z
      .enum(["alias", "full", "none"])
      .default("alias")
      .describe("What X-Forwarded-For and X-Forwarded-To tell the next hop.")
      .meta({
        notes:
          "`alias` names the address that the mail came to, `full` the destination, too: that one then travels with " +
          "replies that quote the header, and in bounces as far as here. Gmail asks forwarders for both.",
      }),
    acceptance: z
      .enum(["in-session", "spooled"])
      .default("in-session")
      .describe("Whether verified mail goes to its next hop or to the queue before its client is answered.")
      .meta({
        notes:
          "`in-session` gives the client the next hop's answer, and writes nothing to the disk where that comes in " +
          "time. `spooled` answers as soon as the message is on the disk, as most mail servers do. Mail whose sender " +
          "may be forged is always delivered while its client waits (see [the queue](queue.md)).",
      }),
    waits,
  })
  .prefault({})
  .describe("Where mail goes.");
