// Octets that go to a thread together: in one piece of memory that is handed over. Cloning a Buffer would clone the whole memory
// that it is a part of, and handing that over would take it from others. Called by spool/writer.ts and outbound/thread/packing.ts.

/** One behind the other. */
export function inOneMemory(parts: readonly Uint8Array[]): ArrayBuffer {
  const memory = new ArrayBuffer(octetsOf(parts));
  const whole = new Uint8Array(memory);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return memory;
}

/** Of all of them together. */
export function octetsOf(parts: readonly Uint8Array[] | undefined): number {
  return parts?.reduce((sum, { length }) => sum + length, 0) ?? 0;
}
