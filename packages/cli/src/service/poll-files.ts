// Looks from time to time whether a file has changed: a folder's watch does not tell of the target of a link, of a folder
// that is moved away, or of a file that was not there. Called by table-reload.ts.

export interface FilePoll {
  close(): void;
  /** Resolves when no look is under way. */
  idle(): Promise<void>;
}

/** @param look one look at all files; the next begins so long after its end */
export function pollFiles(look: () => Promise<boolean>, changed: () => void, everyMs: number): FilePoll {
  let closed = false;
  let looking = Promise.resolve();
  let timer: NodeJS.Timeout;
  const lookOnce = async (): Promise<void> => {
    const different = await look();
    if (closed) return;
    if (different) changed();
    next();
  };
  const next = (): void => {
    timer = setTimeout(() => {
      looking = lookOnce();
    }, everyMs);
    // It is no reason to keep the process.
    timer.unref();
  };
  next();
  return {
    close() {
      closed = true;
      clearTimeout(timer);
    },
    idle: () => looking,
  };
}
