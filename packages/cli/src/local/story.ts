// Tells what happens to each message of `homing local`, line by line, as it happens. Knows words and colours, and
// nothing of mail servers.
import type { ForwarderEvent } from "@homing/forwarder";
import { printable } from "@homing/srs-core";
import { colouredSrs, SRS_STYLE } from "../coloured-srs.ts";
import { paint, type Style } from "../output.ts";
import type { WhyBounced } from "./inbox.ts";

export interface Story {
  tell(event: ForwarderEvent): void;
  /** The inbox has a message. */
  tellArrival(recipient: string, subject: string): void;
  /** A destination took a message and returns it now. */
  tellBounce(by: string, to: string, why: WhyBounced): void;
}

const LABEL_WIDTH = 14;

export function createStory(print: (line: string) => void): Story {
  const line = (label: string, text: string, style: Style = "bold"): void => {
    print(`  ${paint(style, label.padEnd(LABEL_WIDTH))}${text}`);
  };

  return {
    tell(event) {
      switch (event.event) {
        case "received":
          print("");
          line(
            "received",
            `from ${sender(event.reversePath)} for ${colouredSrs(event.recipient)} (client ${event.client})`,
          );
          break;
        case "forwarded":
          line("alias", `${event.alias} leads to ${event.targets.join(", ")}`);
          if (event.rewritten) {
            line("sender", `before  ${sender(event.reversePath)}`);
            line("", `after   ${colouredSrs(event.newReversePath)}`);
          } else line("sender", `stays ${sender(event.newReversePath)}`);
          break;
        case "unwrapped":
          line("verified", "tag and date are good: this is a bounce to mail that was sent through here");
          line("unwrapped", `the address holds ${colouredSrs(event.to)}`);
          break;
        case "bounce":
          if (event.dsn !== undefined)
            line(
              "told",
              `in our own words (${event.action}, status ${event.enhanced}) about ${event.alias ?? "an address of ours"}: nothing of its target`,
            );
          break;
        case "bounce-refused":
          line("refused", `it is no bounce (${event.reason})`, "red");
          break;
        case "posted":
          print("");
          line(
            "from a site",
            `for ${event.recipient}, envelope sender ${colouredSrs(event.reversePath) || "<>"}`,
          );
          break;
        case "delivered":
          line("delivered", `to ${event.target} (next hop ${event.hop})`, "green");
          break;
        case "not-delivered":
          line("failed", `to ${event.target}: ${printable(event.detail)}`, "red");
          break;
        case "refused":
          print("");
          line("refused", `${sender(event.reversePath)} → ${event.recipient ?? "…"}: ${event.reply}`, "red");
          break;
        case "error":
          line("error", printable(event.message), "red");
          break;
        case "discarded":
          line("thrown away", `what comes to ${event.recipient} is not kept`);
          break;
        case "deferred":
        case "given-up":
        case "dsn":
        case "lease-lost":
        case "logged-in":
        case "log-in-failed":
        case "log-in-guessing":
        case "submitted":
        case "guessing":
        case "many-bounces":
        case "nobody-told":
        case "dropped":
        case "notice":
        case "double-bounce":
        case "alias-index":
        case "forward-file":
        case "forward-unavailable":
        case "answered":
        // Of checks of senders: here all come from this machine.
        case "authenticated":
        case "not-authenticated":
        case "bounce-client":
        case "not-sealed":
        case "trust-not-needed":
        case "list-unknown":
          break;
        default:
          event satisfies never;
      }
    },

    tellArrival(recipient, subject) {
      line("in the inbox", `of ${recipient}: "${subject}"`);
    },

    tellBounce(by, to, { found }) {
      print("");
      line(
        "bounced",
        `${by} took it, then found ${found}: it returns the message to the envelope sender`,
        "yellow",
      );
      line("", colouredSrs(to));
    },
  };
}

function sender(reversePath: string): string {
  return reversePath === "" ? "<> (a bounce)" : reversePath;
}

/** What the colours mean, in one line. */
export function legend(): string {
  const parts = [
    `${paint(SRS_STYLE.tag, "tag")} (made with our secret)`,
    `${paint(SRS_STYLE.stamp, "day")}`,
    `${paint(SRS_STYLE.domain, "sender's domain")}`,
    `${paint(SRS_STYLE.user, "sender's name")}`,
  ];
  return `SRS0=${parts.join("=")}`;
}
