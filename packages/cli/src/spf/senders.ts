// Who sends a domain's mail, as flags of `homing spf wizard` or answers to its questions say it: read, and told what is no
// address or name.
import { isIP } from "node:net";
import type { Senders } from "@homing/spf/records";
import { CommandFailure } from "../failure.ts";
import { safe } from "../terminal-text.ts";
import { domainName } from "./domain-option.ts";

export interface SenderOptions {
  readonly domain?: string;
  readonly mx?: true;
  /** true: the domain's own address. */
  readonly a?: true | readonly string[];
  readonly ip4?: readonly string[];
  readonly ip6?: readonly string[];
  readonly include?: readonly string[];
  readonly all?: Senders["all"];
  readonly nobody?: true;
}

/** @param options with `domain` */
export function sendersOf(options: SenderOptions & { readonly domain: string }): Senders {
  const { mx, a, ip4 = [], ip6 = [], include = [], nobody } = options;
  const named = mx !== undefined || a !== undefined || ip4.length + ip6.length + include.length > 0;
  if (nobody && named) {
    throw new CommandFailure("usage", "--nobody: the other options say who sends: leave it or them out");
  }
  if (nobody && options.all === "softfail") {
    const why = "where nobody sends, there is nothing to try out first";
    throw new CommandFailure("usage", `--nobody --all softfail: ${why}: leave --all out`);
  }
  if (!nobody && !named) {
    const how = "say it with --mx, --a, --ip4, --ip6 or --include, or with --nobody";
    throw new CommandFailure("usage", `who sends mail as ${safe(options.domain)}? ${how}`);
  }
  return {
    domain: domainName("--domain", options.domain),
    mx: mx === true,
    a: a === true,
    hosts: Array.isArray(a) ? a.map((host) => domainName("--a", host)) : [],
    ip4: ip4.map((text) => network("--ip4", text, 4)),
    ip6: ip6.map((text) => network("--ip6", text, 6)),
    includes: include.map((name) => domainName("--include", name)),
    all: options.all ?? "softfail",
  };
}

/** @param family none: either */
export function network(option: string, text: string, family?: 4 | 6): string {
  const [address = "", length, more] = text.split("/");
  const found = isIP(address);
  const lengthIsGood =
    length === undefined ||
    (/^(?:0|[1-9][0-9]{0,2})$/.test(length) && Number(length) <= (found === 4 ? 32 : 128));
  const isWanted = found !== 0 && (family === undefined || found === family) && !address.includes("%");
  if (isWanted && lengthIsGood && more === undefined) return text.toLowerCase();
  const example = family === 6 ? "2001:db8::1 or 2001:db8::/32" : "192.0.2.1 or 192.0.2.0/24";
  throw new CommandFailure("usage", `${option} ${safe(text)}: this is no network: write ${example}`);
}
