// A private Sendmail that listens on 127.0.0.1, passes the mail of one domain on, and sends its notifications elsewhere.
// Called by the stories about bounces.

import { onFreePort } from "./free-port.ts";
import { startInstance } from "./instance.ts";
import { type RelayingMta, type RelayingMtaOptions, untilItGreets } from "./relaying-mta.ts";

const MACROS = "/etc/mail/story.mc";
/** /etc is read-only in an instance. */
const CONFIGURATION = "/var/sendmail.cf";
const SENDMAIL = "/usr/libexec/sendmail/sendmail";

export function startSendmail(options: RelayingMtaOptions): Promise<RelayingMta> {
  return onFreePort(async (port) => {
    const instance = await startInstance({
      packageName: "sendmail-bin",
      // In the foreground, with a queue runner every second.
      command: [
        "sh",
        "-c",
        `m4 ${MACROS} >${CONFIGURATION} && exec ${SENDMAIL} -bD -q1s -C ${CONFIGURATION}`,
      ],
      users: ["smmta", "smmsp"],
      files: {
        "/etc/hosts": `127.0.0.1 localhost ${options.hostname}\n`,
        "/etc/mail/service.switch": "hosts files\naliases files\n",
        [MACROS]: macros(port, options),
      },
      folders: { "/var/spool/mqueue": "root" },
    });
    return untilItGreets(instance, { port, hostname: options.hostname });
  });
}

/** Of two mailers that speak ESMTP each has a port: `esmtp` goes onward and `relay` elsewhere. */
function macros(port: number, { hostname, domain, nextHop, elsewhere }: RelayingMtaOptions): string {
  return `include(\`/usr/share/sendmail/cf/m4/cf.m4')
OSTYPE(\`linux')
define(\`confDOMAIN_NAME', \`${hostname}')
define(\`confSERVICE_SWITCH_FILE', \`/etc/mail/service.switch')
define(\`confPID_FILE', \`/run/sendmail.pid')
define(\`STATUS_FILE', \`/run/sendmail.st')
define(\`ALIAS_FILE', \`')
define(\`confTO_IDENT', \`0')
define(\`confTO_QUEUEWARN', \`1s')
dnl A machine that does much else: it must neither refuse nor queue for that.
define(\`confREFUSE_LA', \`10000')
define(\`confQUEUE_LA', \`10000')
define(\`confDELAY_LA', \`0')
define(\`ESMTP_MAILER_ARGS', \`TCP $h ${nextHop}')
define(\`RELAY_MAILER_ARGS', \`TCP $h ${elsewhere}')
define(\`SMART_HOST', \`relay:[127.0.0.1]')
FEATURE(\`nocanonify')
FEATURE(\`accept_unresolvable_domains')
FEATURE(\`promiscuous_relay')
FEATURE(\`no_default_msa')
DAEMON_OPTIONS(\`Port=${port}, Addr=127.0.0.1, Name=MTA')
MAILER(\`smtp')
LOCAL_RULE_0
R$* < @ ${domain} $* > $*\t$#esmtp $@ [127.0.0.1] $: $1 < @ ${domain} > $3
`;
}
