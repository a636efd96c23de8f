// A private Postfix that listens on 127.0.0.1, delivers its own domains to maildirs and relays everything else.
// Called by stories that need a sending or receiving site whose behaviour nobody here wrote.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { debianRoot } from "./debian-packages.ts";
import { onFreePort } from "./free-port.ts";
import { type Instance, startInstance } from "./instance.ts";
import { type MaildirWait, waitForMaildir } from "./maildir.ts";
import type { RelayingMta, RelayingMtaOptions } from "./relaying-mta.ts";

const START_SECONDS = 15;

export interface PostfixOptions {
  readonly hostname: string;
  /** Domains whose mail it keeps. It accepts every recipient of theirs, and bounces the unknown ones itself. */
  readonly destinations: readonly string[];
  /** Where everything else goes, for instance `[127.0.0.1]:2525`. Without one it bounces: there is no DNS. */
  readonly relayHost?: string;
  /** Users with a maildir. */
  readonly mailboxes?: readonly string[];
  /** aliases(5) right-hand sides: `{ gone: '"|/bin/false"' }` accepts the mail, fails, and writes a DSN. */
  readonly aliases?: Readonly<Record<string, string>>;
  /** Default: a free one. Given when two sites must know each other's before both have started. */
  readonly port?: number;
  /** Folders of this machine, by their names below /var/seen. */
  readonly seen?: Readonly<Record<string, string>>;
  /** Parameters of main.cf, over those of this harness. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface Submission {
  /** Envelope sender; `""` is the null reverse-path. */
  readonly from: string;
  readonly to: string | readonly string[];
  readonly message: string | Uint8Array;
}

/** A running Postfix: an instance, and what a mail server can be asked beside. */
export type Postfix = Instance & {
  readonly hostname: string;
  /** Of its SMTP listener on 127.0.0.1. */
  readonly port: number;
  /** Messages in a user's maildir, oldest first, once there are `count` (default 1). Default: 10 seconds. */
  mail(user: string, wait?: MaildirWait): Promise<Buffer[]>;
  /** A local submission by its own sendmail(1), which takes lines that end with LF or with CRLF. */
  submit(submission: Submission): Promise<void>;
};

export function startPostfix(options: PostfixOptions): Promise<Postfix> {
  if (options.port !== undefined) return startOn(options.port, options);
  return onFreePort((port) => startOn(port, options));
}

/** One without mailboxes that passes the mail of one domain on. */
export function startRelayingPostfix(options: RelayingMtaOptions): Promise<RelayingMta> {
  return startPostfix({
    hostname: options.hostname,
    destinations: [],
    relayHost: `[127.0.0.1]:${options.elsewhere}`,
    settings: {
      transport_maps: `inline:{${options.domain}=smtp:[127.0.0.1]:${options.nextHop}}`,
      delay_warning_time: "1s",
    },
  });
}

async function startOn(port: number, options: PostfixOptions): Promise<Postfix> {
  const mailboxes = options.mailboxes ?? [];
  const instance = await startInstance({
    packageName: "postfix",
    command: ["postfix", "start-fg"],
    users: ["postfix", ...mailboxes],
    groups: ["postdrop"],
    files: {
      "/etc/hosts": `127.0.0.1 localhost ${options.hostname}\n`,
      "/etc/aliases": renderTable(options.aliases ?? {}, " "),
      "/etc/postfix/main.cf": renderTable({ ...settingsOf(options), ...options.settings }, " = "),
      "/etc/postfix/master.cf": await masterOn(port),
    },
    folders: {
      "/var/spool/postfix": "root",
      "/var/lib/postfix": "postfix",
      ...Object.fromEntries(mailboxes.map((user) => [`/var/mail/${user}`, user])),
    },
    seen: options.seen ?? {},
    log: "/var/log/mail.log",
  });
  try {
    // master opens its listeners before it says so.
    await instance.waitForLog("daemon started", START_SECONDS);
  } catch (error) {
    await instance.stop();
    throw error;
  }
  return Object.assign(instance, {
    hostname: options.hostname,
    port,
    mail: (user: string, wait?: MaildirWait) =>
      waitForMaildir(join(instance.folder, "var/mail", user), {
        explain: () => instance.tail(),
        ...wait,
      }),
    async submit({ from, to, message }: Submission) {
      const argv = ["sendmail", "-i", "-f", from, "--", ...[to].flat()];
      const { code, stderr } = await instance.run(argv, { input: message });
      if (code !== 0) throw new Error(`sendmail exited with ${code}: ${stderr}${await instance.tail()}`);
    },
  });
}

function settingsOf({ hostname, destinations, relayHost }: PostfixOptions): Record<string, string> {
  return {
    compatibility_level: "3.6",
    maillog_file: "/var/log/mail.log",
    myhostname: hostname,
    myorigin: hostname,
    mydestination: destinations.join(", "),
    relayhost: relayHost ?? "",
    inet_interfaces: "127.0.0.1",
    inet_protocols: "ipv4",
    mynetworks: "127.0.0.0/8",
    // No DNS: `native` is the hosts file of the instance.
    smtp_dns_support_level: "disabled",
    smtp_host_lookup: "native",
    smtpd_peername_lookup: "no",
    smtp_tls_security_level: "none",
    smtpd_tls_security_level: "none",
    alias_maps: "texthash:/etc/aliases",
    alias_database: "",
    // Empty: every recipient of a destination is accepted, and a failure comes later, as a DSN.
    local_recipient_maps: "",
    mail_spool_directory: "/var/mail/",
    forward_path: "",
    // Another try after a second instead of five minutes; no pauses for busy or faulty clients.
    queue_run_delay: "1s",
    minimal_backoff_time: "1s",
    maximal_backoff_time: "2s",
    in_flow_delay: "0",
    smtpd_error_sleep_time: "0",
    smtpd_client_connection_count_limit: "0",
    // No mail to postmaster about errors of a session: a story must see only the mail that it is about.
    notify_classes: "",
  };
}

/** Debian's own master.cf, with the port in place of `smtp` and without chroots, which would need copies of /etc. */
async function masterOn(port: number): Promise<string> {
  const stock = join(await debianRoot("postfix"), "usr/share/postfix/master.cf.dist");
  return (await readFile(stock, "utf8"))
    .replace(/^smtp +inet .*$/m, `127.0.0.1:${port} inet n - n - - smtpd`)
    .replace(/^(\S+ +unix +\S +\S +)y/gm, "$1n");
}

/** Both files have one entry a line; a texthash: table takes its value as it is, without aliases(5)'s colon. */
function renderTable(entries: Readonly<Record<string, string>>, separator: string): string {
  return Object.entries(entries)
    .map(([name, value]) => `${name}${separator}${value}\n`)
    .join("");
}
