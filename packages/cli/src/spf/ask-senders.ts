// The questions of `homing spf wizard`, one after the other, until each answer can be read. Called where nobody gave flags and
// a person is there to answer.
import { isIPv4 } from "node:net";
import type { Senders } from "@homing/spf/records";
import { CommandFailure } from "../failure.ts";
import { domainName } from "./domain-option.ts";
import { network } from "./senders.ts";

export interface Dialogue {
  /** Undefined: nobody answers any more. */
  ask(question: string): Promise<string | undefined>;
  say(line: string): void;
}

export async function askSenders(dialogue: Dialogue, known?: string): Promise<Senders> {
  const domain = known ?? (await answered(dialogue, "Which domain is the record for? ", oneDomain));
  const nobody: Senders = {
    domain,
    mx: false,
    a: false,
    hosts: [],
    ip4: [],
    ip6: [],
    includes: [],
    all: "fail",
  };
  if (!(await answered(dialogue, `Does anybody send mail as …@${domain}? [Y/n] `, yes))) return nobody;
  const mx = await answered(dialogue, "Do the servers that take its mail (MX) also send? [Y/n] ", yes);
  const a = await answered(
    dialogue,
    `Does the server at ${domain} itself send (its web site, say)? [y/N] `,
    no,
  );
  const hosts = await answered(dialogue, "Other hosts of yours that send, by name (blank: none): ", domains);
  const networks = await answered(
    dialogue,
    "Addresses or networks that send, as 192.0.2.0/24 (blank: none): ",
    addresses,
  );
  const includes = await answered(
    dialogue,
    "Providers that send for you (newsletters, office), by the name to include (blank: none): ",
    domains,
  );
  const sure = await answered(
    dialogue,
    "Are these all, so that receivers may refuse the rest at once? [y/N] ",
    no,
  );
  return { domain, mx, a, hosts, ...networks, includes, all: sure ? "fail" : "softfail" };
}

async function answered<T>(dialogue: Dialogue, question: string, read: (text: string) => T): Promise<T> {
  for (;;) {
    const text = await dialogue.ask(question);
    if (text === undefined) {
      throw new CommandFailure("usage", "the questions were not answered: nothing was made");
    }
    try {
      return read(text.trim());
    } catch (error) {
      if (!(error instanceof CommandFailure)) throw error;
      dialogue.say(error.message);
    }
  }
}

function yes(text: string): boolean {
  return yesOrNo(text, true);
}

function no(text: string): boolean {
  return yesOrNo(text, false);
}

function yesOrNo(text: string, otherwise: boolean): boolean {
  if (text === "") return otherwise;
  if (/^y(?:es)?$/i.test(text)) return true;
  if (/^no?$/i.test(text)) return false;
  throw new CommandFailure("usage", "please write yes or no");
}

function oneDomain(text: string): string {
  return domainName("the domain", text);
}

function domains(text: string): readonly string[] {
  return words(text).map((word) => domainName("the name", word));
}

function addresses(text: string): Pick<Senders, "ip4" | "ip6"> {
  const isFour = (word: string) => isIPv4(word.split("/", 1)[0] ?? "");
  const all = words(text);
  for (const word of all) checked(word);
  return { ip4: all.filter(isFour).map(checked), ip6: all.filter((word) => !isFour(word)).map(checked) };
}

function checked(word: string): string {
  return network("the address", word);
}

function words(text: string): readonly string[] {
  return text.split(/[\s,;]/).filter((word) => word !== "");
}
