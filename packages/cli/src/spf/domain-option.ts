// A domain as a person writes it: with capitals, a dot at its end, or in letters of his own. Called by the commands about SPF
// records.
import { domainToASCII } from "node:url";
import { CommandFailure } from "../failure.ts";
import { safe } from "../terminal-text.ts";

/** RFC 1035 §3.1; an underscore is no host name, and a domain has an SPF record all the same (`_spf.example.com`). */
const LABEL = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/;
const MAX_NAME = 253;

/** In A-labels and lower case. @param what the option or argument, for the message */
export function domainName(what: string, text: string): string {
  const bare = text.endsWith(".") ? text.slice(0, -1) : text;
  const name = /^[\x21-\x7e]*$/.test(bare) ? bare.toLowerCase() : domainToASCII(bare);
  const labels = name.split(".");
  const good = labels.length > 1 && name.length <= MAX_NAME && labels.every((label) => LABEL.test(label));
  if (good && !/^[0-9]+$/.test(labels.at(-1) ?? "")) return name;
  throw new CommandFailure(
    "usage",
    `${what} ${safe(text)}: this is no domain name: write one such as example.com`,
  );
}
