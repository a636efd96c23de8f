// Text of others, made safe for a terminal: nothing in it controls the terminal, or changes the order of what is read. Called by
// commands that show addresses, replies and messages.
import { printable } from "@homing/srs-core";

/** They change the direction of what follows (Unicode TR 9), and so make one address look like another. */
const DIRECTIONS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
/** RFC 5321 §4.5.3.1: 64 octets, the at sign, 255 octets. */
const MAX_ADDRESS = 320;

export function safe(text: string, limit = MAX_ADDRESS): string {
  return printable(text, limit).replace(DIRECTIONS, "?");
}

/** A message for a terminal: without what would control it. Line ends and tabs stay. */
export function safeText(text: string): string {
  return text
    .replaceAll("\r\n", "\n")
    .replace(/[^\P{Cc}\n\t]/gu, "?")
    .replace(DIRECTIONS, "?");
}
