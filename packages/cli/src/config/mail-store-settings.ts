// The map `localDelivery`: mail that stays here. Called by schema.ts.
import type { LocalStore } from "@homing/forwarder";
import { parseHostPort, renderHostPort } from "@homing/forwarder/host-port";
import { maildirPatternProblem } from "@homing/forwarder/settings";
import * as z from "zod";

const mailStore = z
  .string()
  .transform((text, context): LocalStore => {
    const [, kind, place = ""] = /^(lmtp|maildir):(.*)$/s.exec(text) ?? [];
    const server = kind === "lmtp" ? lmtpServer(place) : undefined;
    if (server) return { kind: "lmtp", server };
    const problem = kind === "maildir" ? maildirPatternProblem(place) : undefined;
    if (kind === "maildir" && problem === undefined) return { kind: "maildir", pattern: place };
    const message =
      problem ??
      `"${text}" is no mail store: write lmtp:HOST:PORT, lmtp:/socket or maildir:/path/{domain}/{user}`;
    context.addIssue({ code: "custom", message });
    return z.NEVER;
  })
  .meta({
    type: "mail store",
    typeMeaning:
      "`lmtp:127.0.0.1:24`, `lmtp:/run/dovecot/lmtp` or `maildir:/var/mail/homing/{domain}/{user}`",
  });

export function renderMailStore(store: LocalStore): string {
  if (store.kind === "maildir") return `maildir:${store.pattern}`;
  return `lmtp:${"path" in store.server ? store.server.path : renderHostPort(store.server)}`;
}

function lmtpServer(place: string): Extract<LocalStore, { kind: "lmtp" }>["server"] | undefined {
  if (place.startsWith("/")) return { path: place };
  const parsed = parseHostPort(place);
  return parsed && parsed.port > 0 ? parsed : undefined;
}

export const localDelivery = z
  .strictObject({
    store: mailStore
      .describe("Keeps the mail of our domains that no table takes elsewhere.")
      .meta({ example: "lmtp:/run/dovecot/lmtp" }),
    unknownUsers: z
      .enum(["refuse", "store"])
      .default("refuse")
      .describe("Addresses in no table: refuse them, or let an LMTP store say whether it has such a user."),
  })
  .superRefine(({ store, unknownUsers }, context) => {
    if (store.kind === "lmtp" || unknownUsers === "refuse") return;
    const message = "is for lmtp: a maildir cannot say who is a user: take it out";
    context.addIssue({ code: "custom", path: ["unknownUsers"], message });
  })
  .describe("Mail that stays here; its sender is not rewritten.");
