// The map `limits`: what clients may ask of the SMTP server. Called by schema.ts. Defaults are Postfix's unless told.
import * as z from "zod";
import { wholeNumber } from "./setting-types.ts";

export const limits = z
  .strictObject({
    messageOctets: wholeNumber(65_536, 268_435_456).default(26_214_400).describe("The largest message."),
    clients: wholeNumber(1, 10_000).default(100).describe("Connections at the same time."),
    clientsPerNetwork: wholeNumber(0, 10_000)
      .default(50)
      .describe("Of those, from one IPv4 address or IPv6 /64; 0 for no limit. Trusted clients do not count."),
    recipients: wholeNumber(100, 10_000).default(1000).describe("In one transaction; 452 for the others."),
    errors: wholeNumber(1, 1000).default(20).describe("Refusals, and then the client is sent away (421)."),
    junkCommands: wholeNumber(1, 10_000)
      .default(100)
      .describe("NOOP, RSET and the like without any mail; each further one is an error."),
    commandSeconds: wholeNumber(10, 3600)
      .default(300)
      .describe("For a whole command, from our reply on; so far a message may fall behind, too."),
    stressSeconds: wholeNumber(1, 3600)
      .default(10)
      .describe("The same while four fifths of `clients` are there."),
    dataOctetsPerSecond: wholeNumber(1, 1_000_000)
      .default(500)
      .describe("The mean rate of the slowest message."),
    greetDelayMs: wholeNumber(0, 10_000)
      .default(0)
      .describe("A wait before the greeting, for clients that do not wait for it: they are refused.")
      .meta({ notes: "those who spoke before they were greeted are refused without any wait, too." }),
    // RFC 5321 §6.3 has 100 for counting alone; here a loop is mostly known at its second pass, and Postfix counts to 50.
    hops: wholeNumber(10, 1000).default(50).describe("A message with so many Received fields is refused."),
    freeOctets: wholeNumber(1_048_576, 1_099_511_627_776)
      .default(134_217_728)
      .describe("Left free on the disk of `stateDirectory`: beyond that, mail is put off (452)."),
  })
  .prefault({})
  .describe("Limits of the SMTP server.");
