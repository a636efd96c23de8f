// How much of a bounce is looked at. Anybody may send one, of any size and shape: what goes beyond is read to its end and
// not kept. Used by all of read/.

export interface ReaderLimits {
  /** Multiparts in one another. Real reports have two. */
  readonly depth: number;
  readonly parts: number;
  /** Of all headers together, in octets as they came. */
  readonly headerOctets: number;
  /** Of all text parts together, decoded. */
  readonly textOctets: number;
  /** Of one status part, decoded. */
  readonly statusOctets: number;
  /** Of the returned header, decoded. */
  readonly returnedOctets: number;
  readonly recipients: number;
}

export const READER_LIMITS: ReaderLimits = {
  depth: 20,
  parts: 1000,
  headerOctets: 1024 * 1024,
  textOctets: 256 * 1024,
  statusOctets: 64 * 1024,
  returnedOctets: 64 * 1024,
  recipients: 500,
};
