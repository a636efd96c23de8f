// Is there room for a message on the disk of the state directory? Asked at MAIL, before we promise anything, and again
// while a file grows. Made by front.ts, asked by transactions.ts and message-sink.ts.
import { type StatsFs, statfs } from "node:fs";

export interface DiskSpace {
  /** May `octets` more be written, with the floor left and with what others are about to write? A promise if we must look. */
  hasRoom(octets: number): boolean | Promise<boolean>;
  /** A message that is being received will need so much, beyond what is on the disk already. */
  reserve(octets: number): Reservation;
}

export interface Reservation {
  written(octets: number): void;
  /** Nothing more of it will be written. */
  end(): void;
}

export interface DiskSpaceOptions {
  readonly folder: string;
  /** Left free for everything else that lives there. */
  readonly minFreeOctets: number;
  /** A clock that only goes forward, in milliseconds. */
  readonly now: () => number;
  readonly freeOctets?: (folder: string) => Promise<number>;
}

/** statfs is cheap, but not for every message; the reservations cover what one second brings. */
const FRESH_MS = 1000;
const TMPFS_MAGIC = 0x01021994;

export function createDiskSpace(options: DiskSpaceOptions): DiskSpace {
  const { folder, minFreeOctets, now, freeOctets = freeOctetsOf } = options;
  let reserved = 0;
  let writtenSince = 0;
  let asked: { readonly at: number; readonly free: Promise<number>; known?: number } | undefined;

  /** A file system that does not tell is no reason to refuse mail: writing will show. */
  const look = (): NonNullable<typeof asked> => {
    const looked: NonNullable<typeof asked> = {
      at: now(),
      free: freeOctets(folder).catch(() => Number.POSITIVE_INFINITY),
    };
    void looked.free.then((free) => {
      looked.known = free;
    });
    return looked;
  };
  const isRoom = (free: number, octets: number): boolean =>
    free - writtenSince - reserved - octets >= minFreeOctets;

  return {
    hasRoom(octets) {
      if (!asked || now() - asked.at >= FRESH_MS) {
        writtenSince = 0;
        asked = look();
      }
      const { known, free } = asked;
      return known === undefined
        ? free.then((octetsFree) => isRoom(octetsFree, octets))
        : isRoom(known, octets);
    },
    reserve(octets) {
      let left = octets;
      reserved += left;
      return {
        written(more) {
          const used = Math.min(left, more);
          left -= used;
          reserved -= used;
          writtenSince += more;
        },
        end() {
          reserved -= left;
          left = 0;
        },
      };
    },
  };
}

/** A state directory in memory loses accepted mail with the power, and temporary files there spare no memory. */
export async function isOnTmpfs(folder: string): Promise<boolean> {
  return (await statfsOf(folder)).type === TMPFS_MAGIC;
}

async function freeOctetsOf(folder: string): Promise<number> {
  const { bavail, bsize } = await statfsOf(folder);
  return bavail * bsize;
}

function statfsOf(folder: string): Promise<StatsFs> {
  return new Promise((resolve, reject) => {
    statfs(folder, (error, stats) => (error ? reject(error) : resolve(stats)));
  });
}
