// Senders that do not fit into 64 octets are kept, and a short token goes into the address in their place. The rewriter
// makes the tokens; who keeps what, where and for how long is the caller's business (a table in its database).
import type { Mailbox } from "./mailbox.ts";

/** In the DOMAIN field of an SRS0 address: USER is a token. No domain is called so; PostSRSd's label for the same. */
export const KEPT_LABEL = "1";

export interface SenderStore {
  /**
   * Keeps a sender under its token, at least until an address made now expires; the same sender has the same token.
   * False where there is no room, or where the token is another sender's: then the address is `too-long`. Durable before
   * the address is used.
   */
  keep(token: string, sender: Mailbox): boolean;
  /** The sender, or undefined where none was kept under this token, or too long ago. */
  find(token: string): Mailbox | undefined;
}
