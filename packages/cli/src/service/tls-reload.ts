// A new certificate without a restart: SIGHUP reads the files of `tls` anew. Called by `homing serve`.
import type { TlsFiles } from "@homing/forwarder";
import type { Hangups } from "../until-signal.ts";

export interface TlsReload {
  /** Throws one line for a person where the files cannot be used. */
  readonly read: () => Promise<TlsFiles | undefined>;
  readonly replace: (tls: TlsFiles) => void;
  readonly log: (event: object) => void;
}

/** For whoever else listens: SIGHUP has one listener. */
export function withTlsReload(heard: Hangups, reload: TlsReload): Hangups {
  return {
    listen(act) {
      heard.listen(() => {
        act();
        void renew(reload);
      });
    },
  };
}

/** The old certificate stays where the new one cannot be used. */
async function renew({ read, replace, log }: TlsReload): Promise<void> {
  try {
    const tls = await read();
    if (!tls) return;
    replace(tls);
    log({ event: "certificate-reloaded" });
  } catch (error) {
    log({
      event: "certificate-not-reloaded",
      message: error instanceof Error ? error.message : String(error),
    });
  }
}
