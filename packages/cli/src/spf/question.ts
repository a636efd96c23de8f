// What `homing spf check` asks, read from its options. SPF takes senders that no mailbox could be, since forgers write what
// they like: only what is no address at all is a mistake.
import { isIP } from "node:net";
import { hostname } from "node:os";
import type { SpfIdentity, SpfQuestion } from "@homing/spf";
import { CommandFailure } from "../failure.ts";
import { safe } from "../terminal-text.ts";

export interface QuestionOptions {
  readonly ip: string;
  readonly sender?: string;
  readonly helo?: string;
  readonly identity: SpfIdentity;
}

export function spfQuestion({ ip, sender, helo = "", identity }: QuestionOptions): SpfQuestion {
  if (isIP(ip) === 0) {
    throw usage(`--ip ${safe(ip)}: this is no IP address: write one such as 192.0.2.1 or 2001:db8::1`);
  }
  if (identity === "helo") {
    if (helo === "") throw usage("--identity helo: there is no name to check: give it with --helo NAME");
    return { client: ip, helo, sender: sender === undefined ? "" : senderOf(sender), identity };
  }
  if (sender === undefined) {
    throw usage(
      "who sends? Give --sender ADDRESS ('' is the null sender), or --identity helo with --helo NAME",
    );
  }
  const address = senderOf(sender);
  if (address === "" && helo === "") {
    throw usage("--sender '': the null sender is checked by its HELO name (RFC 7208 §2.4): give --helo NAME");
  }
  return { client: ip, helo, sender: address, identity };
}

/** Without its angle brackets; "" is the null sender. */
function senderOf(text: string): string {
  const address = text.startsWith("<") && text.endsWith(">") ? text.slice(1, -1) : text;
  if (address === "") return "";
  const at = address.lastIndexOf("@");
  if (/\p{Cc}/u.test(address) || at < 0 || at === address.length - 1) {
    throw usage(`--sender ${safe(text)}: this is no address: write user@domain, or '' for the null sender`);
  }
  return address;
}

/** Our own name, for `%{r}` and Received-SPF. */
export function receiverName(given: string | undefined): string {
  return given ?? hostname();
}

function usage(message: string): CommandFailure {
  return new CommandFailure("usage", message);
}
