// Our certificate and its key. Called when the service starts and when it reloads.
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { createSecureContext } from "node:tls";
import type { TlsFiles } from "@homing/forwarder";
import type { Config } from "../config/schema.ts";
import { CommandFailure, systemFailure } from "../failure.ts";

/** Undefined without `tls`. Throws a CommandFailure where a file cannot be used. */
export async function readTls({ tls }: Config, configPath: string): Promise<TlsFiles | undefined> {
  if (!tls) return undefined;
  const read = async (name: string): Promise<Buffer> => {
    const path = resolve(dirname(configPath), name);
    return readFile(path).catch((error: unknown) => {
      throw systemFailure(path, error);
    });
  };
  const [cert, key] = [await read(tls.certificateFile), await read(tls.keyFile)];
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const files = `${tls.certificateFile} and ${tls.keyFile}`;
    throw new CommandFailure("config", `tls: ${files} are no certificate with its key, in PEM: ${why}`);
  }
  return { cert, key };
}
