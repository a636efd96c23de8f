// The end of a service: no new clients, the mail in progress is finished, and all of it within 30 seconds. Called by
// `homing serve` when it was told to stop.
import type { SmtpListener } from "@homing/forwarder";

/**
 * Two seconds before the listener cuts its clients off: deliveries that have not ended by then fail, so that their
 * clients still hear a 451. A delivery left running would also keep the process, for as long as a next hop is silent.
 */
export const DELIVERY_GRACE_MS = 28_000;

export async function stopListener(
  listener: Pick<SmtpListener, "close">,
  deliveries: AbortController,
): Promise<void> {
  const timer = setTimeout(() => deliveries.abort(), DELIVERY_GRACE_MS);
  await listener.close();
  clearTimeout(timer);
  // Those whose client has gone: nobody waits for them.
  deliveries.abort();
}
