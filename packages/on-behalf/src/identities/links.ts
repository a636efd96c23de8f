// Links that stand in mail, for people who have no account. Called by whatever composes mail.
import type { UnixSeconds } from "@homing/srs-core";
import type { OnBehalfOptions } from "../on-behalf.ts";

export const SECONDS_OF_DAY = 86_400;
export const CONFIRM_SECONDS = SECONDS_OF_DAY;
/** As long as an identity lives: what a mail began can be ended from the same mail. */
export const MANAGE_SECONDS = 180 * SECONDS_OF_DAY;

export type LinkOptions = Pick<OnBehalfOptions, "tokens" | "publicUrl" | "newSecretId" | "now">;

/** To the page where somebody sees and ends what is sent in his name and to him; `site` is whose mail it stands in, or "". */
export function manageUrl(options: LinkOptions, address: string, site: string): string {
  return `${options.publicUrl}/mine?t=${manageToken(options, address, site)}`;
}

/** Good for whoever has it, as often as he likes: it stands in his mail. */
export function manageToken(options: LinkOptions, address: string, site: string): string {
  const { tokens, newSecretId, now } = options;
  return tokens.sign({
    purpose: "manage",
    address,
    site,
    nonce: newSecretId(),
    expires: now() + MANAGE_SECONDS,
  });
}

export interface Confirmation {
  readonly address: string;
  readonly site: string;
  readonly nonce: string;
  readonly expires: UnixSeconds;
}

export function confirmUrl({ tokens, publicUrl }: LinkOptions, confirmation: Confirmation): string {
  return `${publicUrl}/confirm?t=${tokens.sign({ purpose: "confirm", ...confirmation })}`;
}
