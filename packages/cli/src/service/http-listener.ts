// The HTTP side of the service, where the configuration asks for it: loaded only then. Called by `homing serve`.
import { renderHostPort } from "@homing/forwarder/host-port";
import { createWhyLinks } from "@homing/forwarder/settings";
import type { HttpListener } from "@homing/http";
import type { OnBehalf } from "@homing/on-behalf";
import type { Config } from "../config/schema.ts";
import { listenFailure } from "../failure.ts";
import { unixMilliseconds, unixNow } from "../time.ts";
import { createRefusalLog } from "./refused-requests.ts";

export type { HttpListener } from "@homing/http";

export interface StartHttpOptions {
  readonly config: Pick<Config, "http" | "hostname">;
  /** For messages. */
  readonly configPath: string;
  /** Newest first: those that sign the links in replies. */
  readonly secrets: readonly string[];
  /** Web sites, where there are some. */
  readonly onBehalf: OnBehalf | undefined;
  readonly log: (event: object) => void;
}

export async function startHttp({
  config: { http, hostname },
  configPath,
  secrets,
  onBehalf,
  log,
}: StartHttpOptions): Promise<HttpListener | undefined> {
  if (!http) return undefined;
  const { listenHttp } = await import("@homing/http");
  const failed = (error: unknown): void => {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    log({ event: "error", session: "", message });
  };
  const { listen, publicUrl } = http;
  const whyLinks = createWhyLinks({ publicUrl, secrets, now: unixNow });
  return listenHttp({
    ...{ listen, hostname, whyLinks, failed },
    refused: createRefusalLog(log, unixMilliseconds),
    onBehalf: onBehalf && { ...onBehalf, publicUrl },
  }).catch((error: unknown) => {
    throw listenFailure(error, renderHostPort(listen), `change http.listen in ${configPath}`);
  });
}
