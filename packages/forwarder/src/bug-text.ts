// A bug or a broken machine as the text of the event `error`. Called wherever one is told.

export function bugText(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
