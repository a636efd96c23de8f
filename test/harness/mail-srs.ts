// Debian's Mail::SRS (Perl), the implementation that SRS's inventor wrote, as a peer with its clock as an argument.
// Called by stories and tables that compare our addresses with those that others make and take.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { startLinePeer } from "./line-peer.ts";

export interface MailSrsOptions {
  /** One, or several of which the first signs and all verify. */
  readonly secret: string | readonly string[];
  readonly now: Date;
  /** Default "=". */
  readonly separator?: "=" | "+" | "-";
  /** Characters of the hash. Default 4. */
  readonly hashLength?: number;
  /** The shortest hash that is taken. Default: `hashLength`. */
  readonly hashMin?: number;
  /** Days. Default 21. */
  readonly maxAge?: number;
  /** Rewrite also when the sender's domain is the forwarder's. Default false. */
  readonly alwaysRewrite?: boolean;
}

/** Both reject with Mail::SRS's own words, such as "Invalid hash" and "Invalid timestamp". */
export interface MailSrs extends AsyncDisposable {
  forward(sender: string, domain: string, options: MailSrsOptions): Promise<string>;
  reverse(address: string, options: MailSrsOptions): Promise<string>;
  stop(): Promise<void>;
}

export async function perlSrs(): Promise<MailSrs> {
  const peer = await startLinePeer({
    packageName: "libmail-srs-perl",
    interpreter: ["perl"],
    script: await readFile(join(import.meta.dirname, "mail-srs.pl"), "utf8"),
  });
  const ask = async (question: Readonly<Record<string, string>>, options: MailSrsOptions) => {
    const now = Math.floor(options.now.getTime() / 1000);
    return String(await peer.ask({ ...question, now, options: perlOptions(options) }));
  };
  return {
    forward: (sender, domain, options) => ask({ ask: "forward", address: sender, domain }, options),
    reverse: (address, options) => ask({ ask: "reverse", address }, options),
    stop: () => peer.stop(),
    [Symbol.asyncDispose]: () => peer.stop(),
  };
}

/** Members that are `undefined` vanish on their way through JSON, and Mail::SRS takes its defaults. */
function perlOptions(options: MailSrsOptions): Record<string, unknown> {
  return {
    Secret: options.secret,
    Separator: options.separator,
    HashLength: options.hashLength,
    HashMin: options.hashMin,
    MaxAge: options.maxAge,
    AlwaysRewrite: options.alwaysRewrite === true ? 1 : 0,
  };
}
