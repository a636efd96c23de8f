// A private Knot DNS that listens on 127.0.0.1 and answers for its zones: an authority, which the client asks as if it
// were a resolver. Called by stories about DNS.

import { onFreePort } from "./free-port.ts";
import { type Instance, startInstance } from "./instance.ts";

const START_SECONDS = 20;

/** A running Knot, where `homing` and a test may ask it. Other names than those of its zones are REFUSED. */
export type Knot = Instance & {
  readonly place: { readonly host: string; readonly port: number };
};

/** @param zones text of the zone files, without SOA and NS, by domain. One that does not load is SERVFAIL. */
export function startKnot(zones: Readonly<Record<string, string>>): Promise<Knot> {
  return onFreePort(async (port) => {
    const instance = await startInstance({
      packageName: "knot",
      command: ["knotd", "--config", "/etc/knot/homing.conf"],
      files: {
        "/etc/knot/homing.conf": configuration(port, Object.keys(zones)),
        ...Object.fromEntries(
          Object.entries(zones).map(([domain, records]) => [`/etc/knot/${domain}.zone`, HEAD + records]),
        ),
      },
      folders: { "/var/lib/knot": "root" },
      log: "output",
    });
    try {
      await instance.waitForLog("server started", START_SECONDS);
      // It says so, and starts without that address.
      if (/cannot bind/.test(await instance.log()))
        throw new Error(`address already in use${await instance.tail()}`);
    } catch (error) {
      await instance.stop();
      throw error;
    }
    return Object.assign(instance, { place: { host: "127.0.0.1", port } });
  });
}

const HEAD = "$TTL 300\n@ SOA ns hostmaster 1 7200 3600 86400 300\n@ NS ns\nns A 127.0.0.1\n";

function configuration(port: number, domains: readonly string[]): string {
  return `
server:
    rundir: /run
    listen: 127.0.0.1@${port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
log:
  - target: stderr
    any: info
database:
    storage: /var/lib/knot
template:
  - id: default
    storage: /etc/knot
    file: "%s.zone"
    zonefile-sync: -1
    journal-content: none
zone:
${domains.map((domain) => `  - domain: ${domain}`).join("\n")}
`;
}
