// A private Sendmail of a site that has users and aliases and forwards: what is elsewhere goes to one next hop. Recipes of
// deploy/sendmail are put into it as their README says. Called by the stories about Sendmail.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { startInstance } from "./instance.ts";
import { type RelayingMta, untilItGreets } from "./relaying-mta.ts";
import { waitFor } from "./wait.ts";

const MACROS = "/etc/mail/sendmail.mc";
/** /etc is read-only in an instance: what is made at its start lies below /var. */
const CONFIGURATION = "/var/sendmail.cf";
const ALIASES = "/var/aliases";
const SENDMAIL = "/usr/libexec/sendmail/sendmail";
const SECONDS = 15;

export interface SendmailSiteOptions {
  readonly port: number;
  readonly hostname: string;
  /** Its mail stays here. */
  readonly domain: string;
  /** aliases(5) */
  readonly aliases: string;
  /** Users with a mailbox. */
  readonly mailboxes: readonly string[];
  /** Port of the server that takes mail for everybody else. */
  readonly nextHop: number;
  /** Lines of m4, above or below the MAILER lines. */
  readonly recipe: { readonly above?: string; readonly below?: string };
  /** A mailertable that its feature reads at /var/mailertable. */
  readonly mailertable?: string;
}

export type SendmailSite = RelayingMta & {
  /** Of a user, once there is something that matches. */
  mailbox(user: string, pattern: RegExp): Promise<string>;
  /** What waits, as mailq tells it. */
  queue(): Promise<string>;
};

export async function startSendmailSite(options: SendmailSiteOptions): Promise<SendmailSite> {
  const { port, hostname, mailboxes, mailertable = "" } = options;
  const instance = await startInstance({
    packageName: "sendmail-bin",
    command: ["sh", "-ec", START],
    users: ["smmta", "smmsp", ...mailboxes],
    groups: ["mail"],
    files: {
      "/etc/hosts": `127.0.0.1 localhost ${hostname}\n`,
      "/etc/mail/service.switch": "hosts files\naliases files\n",
      "/etc/mail/aliases": options.aliases,
      "/etc/mail/mailertable": mailertable,
      [MACROS]: macros(options),
    },
    folders: { "/var/spool/mqueue": "root", "/var/mail": "root", "/var/homing": "root" },
  });
  const mta = await untilItGreets(instance, { port, hostname });
  return Object.assign(mta, {
    mailbox: (user: string, pattern: RegExp) =>
      waitFor(
        async () => {
          const text = await readFile(join(instance.folder, "var/mail", user), "utf8").catch(() => "");
          return pattern.test(text) ? text : undefined;
        },
        { seconds: SECONDS, otherwise: async () => `no ${pattern} for ${user}${await instance.tail()}` },
      ),
    queue: async () => String((await instance.run([SENDMAIL, "-C", CONFIGURATION, "-bp"])).stdout),
  });
}

/** In the foreground, with a queue runner every second. */
const START = `
m4 ${MACROS} >${CONFIGURATION}
cp /etc/mail/aliases ${ALIASES}
${SENDMAIL} -C ${CONFIGURATION} -bi
/usr/libexec/sendmail/makemap -C ${CONFIGURATION} hash /var/mailertable </etc/mail/mailertable
exec ${SENDMAIL} -bD -q1s -C ${CONFIGURATION}
`;

function macros({ port, hostname, domain, nextHop, recipe }: SendmailSiteOptions): string {
  return `include(\`/usr/share/sendmail/cf/m4/cf.m4')
OSTYPE(\`linux')
define(\`confDOMAIN_NAME', \`${hostname}')
define(\`confSERVICE_SWITCH_FILE', \`/etc/mail/service.switch')
define(\`confPID_FILE', \`/run/sendmail.pid')
define(\`STATUS_FILE', \`/run/sendmail.st')
define(\`ALIAS_FILE', \`${ALIASES}')
define(\`confTO_IDENT', \`0')
dnl A machine that does much else: it must neither refuse nor queue for that.
define(\`confREFUSE_LA', \`10000')
define(\`confQUEUE_LA', \`10000')
define(\`confDELAY_LA', \`0')
define(\`SMART_HOST', \`relay:[127.0.0.1]')
define(\`RELAY_MAILER_ARGS', \`TCP $h ${nextHop}')
FEATURE(\`nocanonify')
FEATURE(\`accept_unresolvable_domains')
FEATURE(\`no_default_msa')
define(\`LOCAL_MAILER_PATH', \`/bin/sh')
define(\`LOCAL_MAILER_ARGS', \`sh -c cat>>/var/mail/$u')
dnl Without r, which would put -r SENDER before that, and with S: as root, who may write there.
define(\`LOCAL_MAILER_FLAGS', \`SPmn9')
DAEMON_OPTIONS(\`Port=${port}, Addr=127.0.0.1, Name=MTA')
LOCAL_DOMAIN(\`${domain}')
${recipe.above ?? ""}
MAILER(\`local')
MAILER(\`smtp')
${recipe.below ?? ""}
`;
}
