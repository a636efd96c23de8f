// `homing route ADDRESS`: where a recipient's mail would go, entry by entry, and which line decides. Nothing is sent.
import {
  createForwardClient,
  createForwardPolicy,
  type Followed,
  followUsers,
  type Step,
  type Tables,
} from "@homing/forwarder";
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
  const parsed = parseAddressArgument(address);
  if (!parsed.ok) return negative(output, parsed.reason, parsed.message);
  const config = await loadConfig(options.config);
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

function tell(output: Output, steps: readonly Step[], followed: Followed, tables: Tables): void {
  for (const { depth, key, entry } of steps) {
    output.data(`${"  ".repeat(depth)}${key}  ${entry.file}:${entry.line}`);
  }
  switch (followed.kind) {
    case "destinations":
      for (const { mailbox, owner } of followed.destinations) {
        const sender = owner ? `, sent as ${renderMailbox(owner)}` : "";
        output.data(`→ ${renderMailbox(mailbox)}${stays(tables, mailbox) ? " (stays here)" : ""}${sender}`);
      }
      return;
    case "discard":
      output.data("→ taken and thrown away");
      return;
    case "refuse":
      output.data(`→ refused: ${replyLine(followed.reply)}`);
      return;
    case "unknown":
      output.data(`→ no table has this address: ${replyLine(followed.reply)}`);
      return;
    case "not-ours":
      output.data(`→ refused: ${NOT_OURS}`);
  }
}

function replyLine({ code, enhanced, text }: Reply): string {
  return `${code} ${enhanced} ${text}`;
}

function stays({ rules }: Tables, { domain }: Mailbox): boolean {
  return rules.domains.has(domain.toLowerCase()) || rules.domainAliases.has(domain.toLowerCase());
}

function document(recipient: Mailbox, steps: readonly Step[], followed: Followed, tables: Tables): object {
  const common = {
    ok: followed.kind === "destinations" || followed.kind === "discard",
    address: renderMailbox(recipient),
    steps: steps.map(({ depth, key, entry }) => ({ depth, key, file: entry.file, line: entry.line })),
  };
  switch (followed.kind) {
    case "destinations":
      return {
        ...common,
        destinations: followed.destinations.map(({ mailbox, owner }) => ({
          address: renderMailbox(mailbox),
          stays: stays(tables, mailbox),
          ...(owner && { owner: renderMailbox(owner) }),
        })),
      };
    case "discard":
      return { ...common, discard: true };
    case "refuse":
      return { ...common, reason: "disabled", message: followed.reply.text, code: followed.reply.code };
    case "unknown":
      return { ...common, reason: "unknown", message: followed.reply.text, code: followed.reply.code };
    case "not-ours":
      return { ...common, reason: "not-ours", message: NOT_OURS, code: 550 };
  }
}
