// `homing bounce parse`: what a bounce says about whom, as the bounce handler reads it.
import { createReadStream } from "node:fs";
import process from "node:process";
import { type BounceReport, createBounceReader } from "@homing/bounce-handler";
import { EXIT, systemFailure } from "../failure.ts";
import { createOutput } from "../output.ts";
import { reportLines } from "./bounce-words.ts";

export interface BounceOptions {
  readonly json?: true;
}

/** @param file a path, or `-` for stdin. Returns the exit code: 1 where it is no bounce */
export async function parseBounce(file: string, options: BounceOptions): Promise<number> {
  const output = createOutput(options.json === true);
  const report = await readReport(file);
  if (output.json) output.document({ ok: true, ...jsonOf(report) });
  else for (const line of reportLines(report)) output.data(line);
  return report.kind === "not-a-bounce" ? EXIT.negative : EXIT.ok;
}

/** Piece by piece: a bounce may hold the whole message. */
async function readReport(file: string): Promise<BounceReport> {
  const reader = createBounceReader();
  try {
    const pieces: AsyncIterable<Buffer> = file === "-" ? process.stdin : createReadStream(file);
    for await (const piece of pieces) reader.take(piece);
  } catch (error) {
    throw systemFailure(`bounce ${file}`, error);
  }
  return reader.end();
}

function jsonOf({
  kind,
  reportingMta,
  originalEnvelopeId,
  arrivalDate,
  recipients,
  truncated,
}: BounceReport) {
  return { kind, reportingMta, originalEnvelopeId, arrivalDate, truncated, recipients };
}
