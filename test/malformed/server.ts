// SMTP in as a process of its own, so that its memory is its own. Its answer to a message is the message's hash. Started
// by malformed-sessions.test.ts; tells its ports, and then, whenever it is asked, how it is.
import { createHash } from "node:crypto";
import { listenSmtp } from "@homing/forwarder";
import { type Reply, wholeContent } from "@homing/mail";
import { type Mailbox, NULL_PATH } from "@homing/srs-core";

export interface State {
  /** Messages by listener. */
  readonly taken: readonly number[];
  readonly clients: number;
  readonly bufferedOctets: number;
  readonly failures: readonly string[];
  /** What should not have come through, whoever sent it and whatever he was told. */
  readonly wrong: readonly string[];
}

const OK: Reply = { code: 250, enhanced: "2.0.0", text: "ok" };

const taken = [0, 0];
const failures: string[] = [];
const wrong: string[] = [];
const MAX_OCTETS = 100_000;
/** As malformed-sessions.test.ts has it: once more than the parser does. */
const DOMAIN = /^(?:[\w.\u0080-\uffff-]+|\[[A-Za-z0-9:.]+\])$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const CONTROL = /[\0-\x1f\x7f]/;

function judge(isRight: boolean, what: string, value: unknown): void {
  if (!isRight) wrong.push(`${what}: ${JSON.stringify(value)}`.slice(0, 500));
}

function judgeMailbox({ localPart, domain }: Mailbox): void {
  judge(!CONTROL.test(localPart) && DOMAIN.test(domain), "mailbox", { localPart, domain });
}

function judgeContent(octets: Buffer, recipients: number): void {
  const text = octets.toString("latin1");
  judge(recipients > 0, "a message without recipients", text);
  judge(octets.length <= MAX_OCTETS, "too many octets", octets.length);
  judge(/(?:^|\r\n)$/.test(text) && !/[\r\n\0]/.test(text.replaceAll("\r\n", "")), "content", text);
}

const listeners = await Promise.all(
  taken.map((_, index) =>
    listenSmtp(
      {
        host: "127.0.0.1",
        port: 0,
        hostname: "mx.test",
        maxMessageOctets: MAX_OCTETS,
        maxClients: 1000,
        limits: { clientsPerNetwork: 0 },
      },
      {
        mail({ reversePath, client }) {
          if (reversePath !== NULL_PATH) judgeMailbox(reversePath);
          judge(client.helo !== "" && !CONTROL.test(client.helo), "HELO", client.helo);
          let recipients = 0;
          return {
            kind: "open",
            transaction: {
              rcpt(recipient) {
                judgeMailbox(recipient);
                recipients++;
                return OK;
              },
              async data(content) {
                const octets = await wholeContent(content);
                judgeContent(octets, recipients);
                taken[index] = (taken[index] ?? 0) + 1;
                return { ...OK, text: createHash("sha256").update(octets).digest("hex") };
              },
            },
          };
        },
        failed: (error) => failures.push(String(error)),
      },
    ),
  ),
);

process.on("message", () => {
  const counts = listeners.map((listener) => listener.counts());
  const sum = (name: "clients" | "bufferedOctets"): number => counts.reduce((all, one) => all + one[name], 0);
  process.send?.({
    taken,
    failures,
    wrong,
    clients: sum("clients"),
    bufferedOctets: sum("bufferedOctets"),
  } satisfies State);
});
process.on("disconnect", () => process.exit());
process.send?.(listeners.map(({ port }) => port));
