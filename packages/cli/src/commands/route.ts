// `homing route ADDRESS`: where a recipient's mail would go, entry by entry, and which line decides. Nothing is sent.
import { createForwardClient, createForwardPolicy } from "@homing/forwarder/dot-forward";
import {
  type FilePlace,
  type Followed,
  followUsers,
  isOurs,
  SET_UP_WRONGLY,
  type Step,
  type Tables,
} from "@homing/forwarder/tables";
import type { Reply } from "@homing/mail";
import { asciiLower, looksLikeSrs, type Mailbox, renderMailbox } from "@homing/srs-core";
import { parseAddressArgument } from "../address-argument.ts";
import { loadConfig } from "../config/load-config.ts";
import type { Config } from "../config/schema.ts";
import { srsDomainsOf } from "../config/srs-domains.ts";
import { EXIT } from "../failure.ts";
import { createOutput, negative, type Output } from "../output.ts";
import { readTables } from "../route-tables.ts";
import { unixNow } from "../time.ts";

export interface RouteCommandOptions {
  readonly config: string;
  readonly json?: true;
}

/** Returns the exit code: 1 where the recipient would be refused. */
export async function route(address: string, options: RouteCommandOptions): Promise<number> {
  const output = createOutput(options.json === true);
  if (address === "") return negative(output, "bad-address", "no address: write user@domain");
  const config = await loadConfig(options.config);
  const parsed = parseAddressArgument(withDomain(address, config));
  if (!parsed.ok) return negative(output, parsed.reason, parsed.message);
  const { tables } = await readTables(config, options.config, { everyLine: true });
  const recipient = parsed.mailbox;
  if (looksLikeSrs(recipient.localPart) && srsDomainsOf(config).includes(asciiLower(recipient.domain))) {
    return negative(output, "srs-address", "its tag decides: see homing reverse and homing inspect");
  }
  const steps: Step[] = [];
  const followed = await followedWay(config, tables, recipient, steps, output);
  if (options.json) output.document(document(recipient, steps, followed, tables));
  else tell(output, steps, followed, tables);
  return followed.kind === "destinations" || followed.kind === "discard" ? EXIT.ok : EXIT.negative;
}

/** A name alone is asked for at the first domain, as postmaster is in SMTP. */
function withDomain(address: string, { domains }: Config): string {
  return address.includes("@") ? address : `${address}@${domains[0]}`;
}

/** As the service would, with the .forward files as they are now. */
async function followedWay(
  { dotForward }: Config,
  tables: Tables,
  recipient: Mailbox,
  steps: Step[],
  output: Output,
): Promise<Followed> {
  if (!dotForward) return await followUsers(tables, recipient, undefined, steps);
  const reader = createForwardClient(dotForward.socket);
  try {
    return await followUsers(
      tables,
      recipient,
      {
        reader,
        policy: createForwardPolicy({ choice: dotForward.wrongFile }),
        now: unixNow,
        alarm: ({ user, faults }) => output.talk(`homing: .forward of ${user}: ${faults.join("; ")}`),
        unavailable: (user, cause) => output.talk(`homing: .forward of ${user} cannot be read: ${cause}`),
      },
      steps,
    );
  } finally {
    reader.close();
  }
}

const NOT_OURS = "550 5.7.1: the domain is none of ours";

function tell(output: Output, steps: readonly Step[], followed: Followed, { rules }: Tables): void {
  for (const { depth, key, absent, ...place } of steps) {
    output.data(`${"  ".repeat(depth)}${key}  ${placeText(place)}${absent ? " (none)" : ""}`);
  }
  if ("dropped" in followed) {
    for (const { target, why } of followed.dropped) output.data(`✗ ${target}: ${why}`);
  }
  switch (followed.kind) {
    case "destinations":
      for (const { mailbox, owner, place } of followed.destinations) {
        const stays = isOurs(rules, mailbox.domain);
        const sender = owner && !stays ? `, sent as ${renderMailbox(owner)}` : "";
        const decided = place && place.line > 0 ? `  ${placeText(place)}` : "";
        output.data(`→ ${renderMailbox(mailbox)}${stays ? " (stays here)" : ""}${sender}${decided}`);
      }
      return;
    case "discard":
      output.data("→ taken and thrown away");
      return;
    case "refuse":
      output.data(`→ refused: ${replyLine(followed.reply)}`);
      return;
    case "nowhere":
      output.data(`→ leads nowhere: ${replyLine(SET_UP_WRONGLY)}`);
      return;
    case "unknown":
      output.data(`→ no table has this address: ${replyLine(followed.reply)}`);
      return;
    case "not-ours":
      output.data(`→ refused: ${NOT_OURS}`);
  }
}

function placeText({ file, line }: FilePlace): string {
  return line > 0 ? `${file}:${line}` : file;
}

function replyLine({ code, enhanced, text }: Reply): string {
  return `${code} ${enhanced} ${text}`;
}

function document(recipient: Mailbox, steps: readonly Step[], followed: Followed, { rules }: Tables): object {
  const common = {
    ok: followed.kind === "destinations" || followed.kind === "discard",
    address: renderMailbox(recipient),
    steps: steps.map(({ depth, key, file, line }) => ({ depth, key, file, line })),
    ...("dropped" in followed && followed.dropped.length > 0 ? { dropped: followed.dropped } : {}),
  };
  switch (followed.kind) {
    case "destinations":
      return {
        ...common,
        destinations: followed.destinations.map(({ mailbox, owner, place }) => ({
          address: renderMailbox(mailbox),
          stays: isOurs(rules, mailbox.domain),
          ...(owner && { owner: renderMailbox(owner) }),
          ...place,
        })),
      };
    case "discard":
      return { ...common, discard: true };
    case "refuse":
      return { ...common, reason: "disabled", message: followed.reply.text, code: followed.reply.code };
    case "nowhere":
      return { ...common, reason: "leads-nowhere", message: SET_UP_WRONGLY.text, code: SET_UP_WRONGLY.code };
    case "unknown":
      return { ...common, reason: "unknown", message: followed.reply.text, code: followed.reply.code };
    case "not-ours":
      return { ...common, reason: "not-ours", message: NOT_OURS, code: 550 };
  }
}
