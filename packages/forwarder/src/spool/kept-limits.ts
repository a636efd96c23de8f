// How many senders are kept that do not fit into an SRS address, unless the settings say otherwise. Called by kept-senders.ts and
// by whoever reads the settings.

/**
 * Bulk mail and notifications mostly have a sender of their own for each message. Each is kept for `maxAgeDays` and two days: 23
 * with the usual setting.
 */
export const KEPT_SENDERS = {
  /** 10,900 new ones a day. Each has 210 octets of memory and 200 of the disk, for a sender of 110: 53 MB and 50 MB. */
  inAll: 250_000,
  /** 430 a day, where others need the room: while it is more than half full. Thirteen networks can fill the rest. */
  perNetwork: 10_000,
};

/** The event `many-kept-senders` has these fields. */
export interface KeptSendersAlarm {
  readonly kept: number;
  readonly room: number;
}
