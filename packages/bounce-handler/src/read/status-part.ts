// The blocks of a delivery status (RFC 3464 §2.1): one about the message, and one for each recipient. Field names decide, and
// not empty lines alone: peers write none, or many. Called by judge.ts.
import { continueField, fieldName, type OpenField, openField } from "./fields.ts";
import { linesOf } from "./octet-text.ts";

/** Names in lower case; of a field that comes twice, the first. */
export type StatusBlock = ReadonlyMap<string, string>;

export interface StatusPart {
  readonly message: StatusBlock;
  readonly recipients: readonly StatusBlock[];
  readonly truncated: boolean;
}

/** RFC 3464 §2.2, and Postfix's own. */
const OF_MESSAGE: ReadonlySet<string> = new Set([
  "reporting-mta",
  "original-envelope-id",
  "arrival-date",
  "dsn-gateway",
  "received-from-mta",
]);
/** Of a recipient, once. When one comes again, the next recipient begins. */
const OPENING: ReadonlySet<string> = new Set(["final-recipient", "original-recipient", "action", "status"]);

export function readStatusPart(text: string, maxRecipients: number): StatusPart {
  const message = new Map<string, string>();
  const recipients: Map<string, string>[] = [];
  let current: Map<string, string> | undefined;
  /** What `current` stands right behind, with no empty line between. */
  let above: Map<string, string> | undefined;
  let truncated = false;

  const store = ({ name, value }: OpenField): void => {
    const key = name.trim().toLowerCase();
    if (OF_MESSAGE.has(key)) {
      setFirst(message, key, value);
      return;
    }
    if (OPENING.has(key) && (!current || beginsAnother(current, key))) {
      above = current;
      current = new Map();
      recipients.push(current);
    }
    setFirst(current ?? recipients.at(-1) ?? message, key, value);
  };

  let open: OpenField | undefined;
  const close = (): void => {
    if (open) store(open);
    open = undefined;
  };
  for (const line of linesOf(text)) {
    if (line.trim() === "") {
      close();
      // Some write Original-Recipient last: it is of the block that it stands in.
      if (current && above && isStray(current) && !above.has("original-recipient")) {
        recipients.pop();
        addTo(above, current);
        current = above;
      }
      above = undefined;
      // Empty lines inside a block happen: only what could be one is over.
      if (current && isWhole(current)) current = undefined;
      continue;
    }
    const name = line.startsWith(" ") || line.startsWith("\t") ? undefined : fieldName(line);
    if (name === undefined) {
      // Some fold without white space; a boundary that nobody knew is no part of a field.
      if (line.startsWith("--")) close();
      else if (open) continueField(open, line);
      continue;
    }
    close();
    if (recipients.length > maxRecipients) {
      truncated = true;
      break;
    }
    open = openField(name, line);
  }
  close();
  const whole = withoutStrays(recipients);
  return {
    message,
    recipients: whole.slice(0, maxRecipients),
    truncated: truncated || whole.length > maxRecipients,
  };
}

function setFirst(block: Map<string, string>, key: string, value: string): void {
  if (!block.has(key)) block.set(key, value);
}

/** Original-Recipient comes first with some (Exim), and not for every recipient. */
function beginsAnother(block: StatusBlock, key: string): boolean {
  return block.has(key) || (key === "original-recipient" && isWhole(block));
}

/** RFC 3464 §2.3: the three that must be there. */
function isWhole(block: StatusBlock): boolean {
  return block.has("final-recipient") && block.has("action") && block.has("status");
}

/** An Original-Recipient that stood alone belongs to the one before. */
function withoutStrays(blocks: readonly Map<string, string>[]): readonly StatusBlock[] {
  const kept: Map<string, string>[] = [];
  for (const block of blocks) {
    const before = kept.at(-1);
    if (before && isStray(block)) addTo(before, block);
    else kept.push(block);
  }
  return kept;
}

function isStray(block: StatusBlock): boolean {
  return !block.has("final-recipient") && !block.has("action") && !block.has("status");
}

function addTo(block: Map<string, string>, stray: StatusBlock): void {
  for (const [key, value] of stray) setFirst(block, key, value);
}
