// Reads a bounce of any size and shape in one pass and constant memory, and says what became of whom. Called by the forwarder
// at the end of DATA, and by `homing bounce parse`. RFC 3464, 5322, 6522, 6533.
import { type Collector, createCollector } from "./collector.ts";
import { type ContentType, parseContentType } from "./content-type.ts";
import { judge } from "./judge.ts";
import { READER_LIMITS, type ReaderLimits } from "./limits.ts";
import { createLineCutter } from "./lines.ts";
import { createPartReader, type PartRole } from "./parts.ts";
import type { BounceReport, HeaderField } from "./report.ts";

export interface BounceReader {
  /** Pieces may end anywhere; they are not kept. */
  take(piece: Buffer): void;
  end(): BounceReport;
}

/** The first one with a recipient counts. Others are somebody's mistake, or a trick. */
const MAX_STATUS_PARTS = 4;
const LF = 0x0a;

/** @param limits for tests */
export function createBounceReader(limits?: Partial<ReaderLimits>): BounceReader {
  const all = { ...READER_LIMITS, ...limits };
  const kept = createKept(all);
  let header: readonly HeaderField[] = [];
  let type: ContentType = parseContentType("");
  const parts = createPartReader(all, {
    header(fields, contentType) {
      header = fields;
      type = contentType;
    },
    part: kept.part,
  });
  const cutter = createLineCutter(parts.line);
  return {
    take: cutter.take,
    end() {
      cutter.end();
      parts.end();
      return judge({ header, type, ...kept.all(), truncated: parts.truncated() || kept.overflowed() }, all);
    },
  };
}

export function readBounce(message: Buffer): BounceReport {
  const reader = createBounceReader();
  reader.take(message);
  return reader.end();
}

/** The places where the parts go. */
function createKept(limits: ReaderLimits) {
  const text = createCollector(limits.textOctets);
  const html = createCollector(limits.textOctets);
  const preamble = createCollector(limits.textOctets);
  const statusParts: Collector[] = [];
  let returned: Collector | undefined;
  let hasFeedback = false;
  let hasDisposition = false;

  const startStatus = (): Collector | undefined => {
    if (statusParts.length === MAX_STATUS_PARTS) return undefined;
    const part = createCollector(limits.statusOctets);
    statusParts.push(part);
    return part;
  };
  const startReturned = (): Collector | undefined => {
    if (returned) return undefined;
    returned = createCollector(limits.returnedOctets);
    return returned;
  };
  const startText = (collector: Collector): Collector => {
    // A line of its own begins with each part.
    if (collector.length() > 0) collector.put(LF);
    return collector;
  };

  return {
    part(role: PartRole): Collector | undefined {
      switch (role) {
        case "text":
          return startText(text);
        case "html":
          return startText(html);
        case "preamble":
          return preamble;
        case "status":
          return startStatus();
        case "returned":
          return startReturned();
        case "feedback":
          hasFeedback = true;
          return undefined;
        case "disposition":
          hasDisposition = true;
          return undefined;
        case "other":
          return undefined;
      }
    },
    /** Where a returned message is cut, its header may be whole: judge.ts tells. */
    overflowed: () => [text, html, ...statusParts].some((one) => one.overflowed()),
    all: () => ({
      text: text.text(),
      html: html.text(),
      preamble: preamble.text(),
      statusParts: statusParts.map((part) => part.text()),
      returned: returned?.text(),
      hasFeedback,
      hasDisposition,
    }),
  };
}
