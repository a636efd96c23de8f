// A private Exim that listens on 127.0.0.1, passes the mail of one domain on, and sends its notifications elsewhere.
// Called by the stories about bounces.

import { onFreePort } from "./free-port.ts";
import { startInstance } from "./instance.ts";
import { type RelayingMta, type RelayingMtaOptions, untilItGreets } from "./relaying-mta.ts";

export function startExim(options: RelayingMtaOptions): Promise<RelayingMta> {
  return onFreePort(async (port) => {
    const instance = await startInstance({
      packageName: "exim4-daemon-light",
      // In the foreground, with a queue runner every second.
      command: ["exim4", "-bdf", "-q1s"],
      users: ["Debian-exim"],
      files: {
        "/etc/hosts": `127.0.0.1 localhost ${options.hostname}\n`,
        // Where it looks by itself: a file behind -C would cost every delivery its privileges.
        "/etc/exim4/exim4.conf": configuration(port, options),
      },
      folders: { "/var/spool/exim4": "Debian-exim" },
    });
    return untilItGreets(instance, { port, hostname: options.hostname });
  });
}

function configuration(port: number, { hostname, domain, nextHop, elsewhere }: RelayingMtaOptions): string {
  return `
primary_hostname = ${hostname}
spool_directory = /var/spool/exim4
log_file_path = syslog
syslog_timestamp = no
keep_environment =
local_interfaces = 127.0.0.1
daemon_smtp_ports = ${port}
daemon_startup_retries = 0
tls_advertise_hosts =
host_lookup =
rfc1413_hosts =
# DSN parameters are heard from clients that it is offered to.
dsn_advertise_hosts = *
acl_smtp_rcpt = accept
# Once: a single time would stand for every second.
delay_warning = 1s:1h

begin routers
onward:
  driver = manualroute
  domains = ${domain}
  transport = onward
  route_list = * 127.0.0.1
  self = send
elsewhere:
  driver = manualroute
  transport = elsewhere
  route_list = * 127.0.0.1
  self = send

begin transports
onward:
  driver = smtp
  port = ${nextHop}
  allow_localhost
elsewhere:
  driver = smtp
  port = ${elsewhere}
  allow_localhost

begin retry
* * F,1h,1s
`;
}
