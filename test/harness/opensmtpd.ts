// A private OpenSMTPD that listens on 127.0.0.1, passes the mail of one domain on, and sends its notifications elsewhere.
// Called by the stories about bounces.

import { onFreePort } from "./free-port.ts";
import { startInstance } from "./instance.ts";
import { type RelayingMta, type RelayingMtaOptions, untilItGreets } from "./relaying-mta.ts";

export function startOpenSmtpd(options: RelayingMtaOptions): Promise<RelayingMta> {
  return onFreePort(async (port) => {
    const instance = await startInstance({
      packageName: "opensmtpd",
      // It starts itself again for each of its processes, by the name that it was called by.
      command: ["/usr/sbin/smtpd", "-d"],
      users: ["opensmtpd", "opensmtpq"],
      files: {
        "/etc/hosts": `127.0.0.1 localhost ${options.hostname}\n`,
        "/etc/mailname": `${options.hostname}\n`,
        "/etc/smtpd.conf": configuration(port, options),
      },
      // It makes the queue itself, and is particular about modes.
      folders: { "/var/spool": "root", "/var/lib/opensmtpd/empty": "root" },
      log: "output",
    });
    return untilItGreets(instance, { port, hostname: options.hostname });
  });
}

function configuration(port: number, { hostname, domain, nextHop, elsewhere }: RelayingMtaOptions): string {
  return `
bounce warn-interval 1s
# By default five seconds between two connections to one address, and here all servers have one.
mta limit conn-delay-route 0
listen on 127.0.0.1 port ${port} hostname ${hostname}
action "onward" relay host smtp://127.0.0.1:${nextHop}
action "elsewhere" relay host smtp://127.0.0.1:${elsewhere}
match from any for domain "${domain}" action "onward"
match from any for any action "elsewhere"
`;
}
