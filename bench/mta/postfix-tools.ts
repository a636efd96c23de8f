// Postfix's smtp-source and smtp-sink from its Debian package: the generator and the sink of all runs.
// Called by counting-sink.ts and throughput.ts.
import { join } from "node:path";
import { SYSTEM_PATH } from "../../test/harness/command.ts";
import { debianRoot } from "../../test/harness/debian-packages.ts";

export interface Tool {
  readonly program: string;
  readonly env: Readonly<Record<string, string>>;
}

export async function postfixTool(name: "smtp-sink" | "smtp-source"): Promise<Tool> {
  const root = await debianRoot("postfix");
  const env = { PATH: SYSTEM_PATH, LD_LIBRARY_PATH: join(root, "usr/lib/postfix") };
  return { program: join(root, "usr/sbin", name), env };
}
