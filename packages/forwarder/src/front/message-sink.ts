// Where the octets of one message go while they arrive: into memory up to a point, and then into a nameless file. Made
// by read-message.ts, which decides what is taken.
import type { FileHandle } from "node:fs/promises";
import { type Content, memoryContent } from "@homing/mail";
import type { BufferBudget } from "./budget.ts";
import type { DiskSpace, Reservation } from "./disk-space.ts";
import { fileContent, openNamelessFile } from "./file-content.ts";

export interface Storage {
  readonly budget: BufferBudget;
  /** Without one, messages stay in memory whatever their size. */
  readonly disk?: { readonly folder: string; readonly space: DiskSpace } | undefined;
}

/** Of one message; DESIGN: what the spool keeps in one row, too. */
export const MEMORY_OCTETS = 256 * 1024;
/** Pieces that are kept as they came. A client that sends single octets must not cost us an object for each. */
const MAX_PIECES = 128;
/** The room on the disk is asked for in steps. */
const SPACE_STEP_OCTETS = 1024 * 1024;

export type SinkFailure =
  | { readonly reason: "no-memory" }
  | { readonly reason: "no-disk-space" }
  | { readonly reason: "disk-failure"; readonly error: unknown };

export class MessageSink {
  readonly #storage: Storage;
  #pieces: Buffer[] = [];
  #inMemory = 0;
  #file: FileHandle | undefined;
  #inFile = 0;
  #reserved: Reservation | undefined;

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  get octets(): number {
    return this.#inMemory + this.#inFile;
  }

  /** The answer is a promise only where a file is written. */
  add(piece: Buffer): SinkFailure | undefined | Promise<SinkFailure | undefined> {
    const { disk } = this.#storage;
    const room = disk ? Math.min(piece.length, MEMORY_OCTETS - this.#inMemory) : piece.length;
    if (room > 0 && !this.#keep(room === piece.length ? piece : piece.subarray(0, room))) {
      return { reason: "no-memory" };
    }
    if (!disk || room === piece.length) return undefined;
    return this.#write(disk, piece.subarray(room));
  }

  /** The message, whose holder gives memory and file back. */
  content(): Content {
    const { budget } = this.#storage;
    const kept = this.#inMemory;
    this.#reserved?.end();
    if (!this.#file) return memoryContent(this.#pieces, () => budget.give(kept));
    return fileContent(this.#joined(), this.#file, this.octets, () => budget.give(kept));
  }

  /** Gives everything back. */
  async drop(): Promise<void> {
    this.#storage.budget.give(this.#inMemory);
    this.#reserved?.end();
    const file = this.#file;
    this.#pieces = [];
    this.#inMemory = 0;
    this.#inFile = 0;
    this.#file = undefined;
    // Nobody will read it.
    await file?.close().catch(() => {});
  }

  #keep(piece: Buffer): boolean {
    if (!this.#storage.budget.take(piece.length)) return false;
    this.#inMemory += piece.length;
    this.#pieces.push(piece);
    if (this.#pieces.length > MAX_PIECES) this.#pieces = [this.#joined()];
    return true;
  }

  #joined(): Buffer {
    return Buffer.concat(this.#pieces, this.#inMemory);
  }

  async #write(disk: NonNullable<Storage["disk"]>, piece: Buffer): Promise<SinkFailure | undefined> {
    try {
      this.#file ??= await openNamelessFile(disk.folder);
      if (!(await this.#hasRoom(disk.space, piece.length))) return { reason: "no-disk-space" };
      for (let at = 0; at < piece.length; ) {
        const { bytesWritten } = await this.#file.write(piece, at, piece.length - at, this.#inFile);
        at += bytesWritten;
        this.#inFile += bytesWritten;
        this.#reserved?.written(bytesWritten);
      }
      return undefined;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      return code === "ENOSPC" || code === "EDQUOT"
        ? { reason: "no-disk-space" }
        : { reason: "disk-failure", error };
    }
  }

  async #hasRoom(space: DiskSpace, octets: number): Promise<boolean> {
    const crossed =
      Math.floor(this.#inFile / SPACE_STEP_OCTETS) < Math.floor((this.#inFile + octets) / SPACE_STEP_OCTETS);
    if (this.#reserved && !crossed) return true;
    this.#reserved?.end();
    const step = Math.max(SPACE_STEP_OCTETS, octets);
    if (!(await space.hasRoom(step))) return false;
    this.#reserved = space.reserve(step);
    return true;
  }
}
