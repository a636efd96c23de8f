// Files that SIGHUP has read anew, without a restart: the certificate, trusted forwarders, people who may submit mail. Called by
// `homing serve` and `homing adapters`.

export interface FileReload<T> {
  /** As in events: `certificate` gives `certificate-reloaded` and `certificate-not-reloaded`. */
  readonly what: string;
  /** Undefined where the configuration names none. Throws one line for a person where it cannot be used. */
  readonly read: () => Promise<T | undefined>;
  readonly replace: (fresh: T) => void;
  readonly log: (event: object) => void;
}

/** To be called at SIGHUP. What is logged tells whether it worked. */
export function fileReload<T>(reload: FileReload<T>): () => void {
  return () => void renew(reload);
}

/** What is in use stays where the new one cannot be used. */
async function renew<T>({ what, read, replace, log }: FileReload<T>): Promise<void> {
  try {
    const fresh = await read();
    if (fresh === undefined) return;
    replace(fresh);
    log({ event: `${what}-reloaded` });
  } catch (error) {
    log({ event: `${what}-not-reloaded`, message: error instanceof Error ? error.message : String(error) });
  }
}
