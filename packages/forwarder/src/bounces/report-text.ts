// What was read of a bounce, on its way out of the thread that read it. Read by reading-thread.ts and bounce-reading.ts.
import { type BounceReport, isFieldOfInterest } from "@homing/bounce-handler";

export interface ReadingTrade {
  readonly work: undefined;
  /** As text: a string is cloned in half the time that its objects would take, on either side. */
  readonly outcome: string;
  readonly question: never;
  readonly answer: never;
}

/** Without the returned fields that nobody asks for: signatures and seals are most of a header. */
export function renderReport(report: BounceReport): string {
  const returned = report.returned?.filter(({ name }) => isFieldOfInterest(name));
  return JSON.stringify({ ...report, returned });
}

/** What was undefined is not there. */
export function parseReport(text: string): BounceReport {
  return JSON.parse(text) as BounceReport;
}
