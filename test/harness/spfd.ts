// Debian's spfd (Mail::SPF) with a DNS server of the test. Called by spfd.test.ts.
import { freePort } from "./free-port.ts";
import { type Instance, startInstance } from "./instance.ts";

export type Spfd = Instance & { readonly port: number };

/** @param dns `address:port` */
export async function startSpfd(dns: string, hostname: string): Promise<Spfd> {
  const [address = "", dnsPort = ""] = dns.split(":");
  const port = await freePort();
  const instance = await startInstance({
    packageName: "spf-tools-perl",
    command: [
      // Read by Net::DNS in place of resolv.conf.
      ...["env", `RES_NAMESERVERS=${address}`, `RES_OPTIONS=port:${dnsPort}`],
      ...["spfd.mail-spf-perl", "--port", String(port), "--hostname", hostname],
    ],
    log: "output",
  });
  try {
    await instance.waitForLog("Listening on");
  } catch (error) {
    await instance.stop();
    throw error;
  }
  return Object.assign(instance, { port });
}
