// What a mail server offers and what is taken of it: never a bit that it did not offer, because Postfix and Sendmail then do
// without the milter. Called by commands.ts and session.ts.
import { ProtocolFault } from "../wire/protocol.ts";
import { renderFrame } from "./frames.ts";

export interface Offer {
  readonly version: number;
  /** What a milter may change. */
  readonly actions: number;
  /** What it need not be told or need not answer. */
  readonly steps: number;
}

/** What a milter may change (SMFIF_…). */
export const ACTIONS = {
  addHeaders: 0x01,
  addRecipients: 0x04,
  deleteRecipients: 0x08,
  changeSender: 0x40,
  requestMacros: 0x100,
} as const;

/**
 * What is not said, or not answered (SMFIP_…). DATA is said and answered: Postfix sends its macros all the same, alone, and
 * what it says next would wait 40 ms for a TCP acknowledgement of them (Nagle's algorithm and delayed ones).
 */
export const STEPS = {
  noBody: 0x10,
  noHeaders: 0x20,
  noEndOfHeader: 0x40,
  noUnknown: 0x100,
  skip: 0x400,
  unansweredHeader: 0x80,
  unansweredConnect: 0x1000,
  unansweredHelo: 0x2000,
  unansweredMail: 0x4000,
  unansweredUnknown: 0x20000,
  unansweredEndOfHeader: 0x40000,
  leadingSpace: 0x100000,
} as const;

const OLDEST = 2;
const NEWEST = 6;
const WORD_OCTETS = 4;
const OFFER_OCTETS = 3 * WORD_OCTETS;

/** Stages of macro requests (SMFIM_…). */
const AT_MAIL = 2;
const AT_END = 5;
/** Whatever else a site has its mail server send: these it sends too. */
const MACROS = [
  { stage: AT_MAIL, names: "i {auth_authen}" },
  { stage: AT_END, names: "i" },
];

/** What an offer leaves us. */
export interface Agreed extends Offer {
  readonly mayAddHeaders: boolean;
  readonly mayChangeSender: boolean;
  readonly mayChangeRecipients: boolean;
  readonly has: (step: keyof typeof STEPS) => boolean;
}

/** What stands behind the three words is for libmilter, or for versions to come. */
export function parseOffer(data: Buffer): Offer {
  if (data.length < OFFER_OCTETS)
    throw new ProtocolFault(`an offer of ${data.length} octets: it has ${OFFER_OCTETS}`);
  const [version, actions, steps] = [0, 1, 2].map((word) => data.readUInt32BE(word * WORD_OCTETS));
  return { version: version ?? 0, actions: actions ?? 0, steps: steps ?? 0 };
}

export function agreeOn(offer: Offer): Agreed {
  if (offer.version < OLDEST)
    throw new ProtocolFault(`the mail server speaks version ${offer.version}, the oldest known is ${OLDEST}`);
  const actions = (offer.actions & sum(ACTIONS)) >>> 0;
  const steps = (offer.steps & sum(STEPS)) >>> 0;
  const may = (action: number): boolean => (actions & action) !== 0;
  return {
    version: Math.min(NEWEST, offer.version),
    actions,
    steps,
    mayAddHeaders: may(ACTIONS.addHeaders),
    mayChangeSender: may(ACTIONS.changeSender),
    // One without the other would lose the recipient, or have the mail go to both.
    mayChangeRecipients: may(ACTIONS.addRecipients) && may(ACTIONS.deleteRecipients),
    has: (step) => (steps & STEPS[step]) !== 0,
  };
}

export function renderAgreed({ version, actions, steps }: Agreed): Buffer {
  const requests = (actions & ACTIONS.requestMacros) === 0 ? [] : MACROS;
  return renderFrame(
    "O",
    words(version, actions, steps),
    ...requests.flatMap(({ stage, names }) => [words(stage), `${names}\0`]),
  );
}

function words(...values: readonly number[]): Buffer {
  const octets = Buffer.alloc(values.length * WORD_OCTETS);
  for (const [index, value] of values.entries()) octets.writeUInt32BE(value, index * WORD_OCTETS);
  return octets;
}

function sum(bits: Readonly<Record<string, number>>): number {
  return Object.values(bits).reduce((all, bit) => all | bit, 0);
}
