// Debian's spfquery (Mail::SPF) with a DNS server of the test. Called by the stories of `homing spfquery` and `homing spf check --spfquery`.
import type { CommandOptions, CommandResult } from "./command.ts";
import { startInstance } from "./instance.ts";
import { PROGRAM_ENVIRONMENT } from "./namespace.ts";

export interface Spfquery extends AsyncDisposable {
  /** Its files are below this folder, which stands for /. */
  readonly folder: string;
  ask(args: readonly string[], options?: CommandOptions): Promise<CommandResult>;
}

/** @param dns `address:port` */
export async function spfquery(dns: string): Promise<Spfquery> {
  const instance = await startInstance({
    packageName: "spf-tools-perl",
    command: ["sleep", "600"],
    log: "output",
  });
  const [address = "", port = ""] = dns.split(":");
  // Read by Net::DNS in place of resolv.conf.
  const env = { ...PROGRAM_ENVIRONMENT, RES_NAMESERVERS: address, RES_OPTIONS: `port:${port}` };
  return {
    folder: instance.folder,
    ask: (args, options = {}) => instance.run(["spfquery.mail-spf-perl", ...args], { env, ...options }),
    [Symbol.asyncDispose]: () => instance.stop(),
  };
}
