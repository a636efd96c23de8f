// nodemailer's connection as we use it: its public members, and those with an underscore that our overrides need
// (ADR 0009). smtp-out.ts makes one; nothing outside of it and its helpers in this folder knows the shape.
import type { Socket } from "node:net";
import type { Content } from "@homing/mail";

/** After the library's own callback convention. */
export type Done<T> = (error: Error | null | undefined, result: T) => void;

export interface Library {
  readonly destroyed: boolean;
  /** In the TLS handshake. */
  readonly upgrading?: boolean;
  on(event: "error" | "end", listener: (error?: unknown) => void): void;
  once(event: "error" | "end", listener: (error?: unknown) => void): void;
  off(event: "error" | "end", listener: (error?: unknown) => void): void;
  connect(done: (error?: Error) => void): void;
  login(auth: { method: string; credentials: { user: string; pass: string } }, done: Done<unknown>): void;
  send(envelope: LibraryEnvelope, message: Content, done: Done<SendResult>): void;
  reset(done: Done<unknown>): void;
  quit(): void;
  close(): void;

  readonly _socket: Socket | false;
  readonly _supportedExtensions: readonly string[];
  readonly _supportedAuth: readonly string[];
  /** Of the SIZE extension; 0 or false where none was told. */
  readonly _maxAllowedSize: number | false;
  /** Answers that came and were not looked at, and the beginning of the next one. */
  readonly _responseQueue: readonly string[];
  readonly _remainder: string;
  /** Who takes the next answers, in order. */
  readonly _responseActions: ((answer: string) => void)[];
  _envelope: LibraryTransaction;
  /** Recipients whose RCPT has no answer yet. */
  _recipientQueue: string[];
  _setEnvelope(envelope: LibraryEnvelope, done: unknown): void;
  _sendCommand(command: string, logged?: string): void;
  _actionMAIL(answer: string, done: unknown): void;
  _actionRCPT(answer: string, done: unknown): void;
  _actionDATA(answer: string, done: unknown): void;
  _actionSMTPStream(answer: string, done: unknown): void;
  _actionLMTPStream(recipient: string, final: boolean, answer: string, done: unknown): void;
  _createSendStream(done: unknown): MessageSink;
}

export interface LibraryEnvelope {
  readonly from: string;
  readonly to: string | readonly string[];
  readonly size: number;
  readonly use8BitMime: boolean;
  /** Checked by the library; it throws what it cannot read away with an error. */
  readonly dsn?: { readonly notify?: readonly string[]; readonly ret?: string; readonly envid?: string };
}

/** What the library notes of an envelope that is under way. */
interface LibraryTransaction {
  readonly from: string;
  readonly to: readonly string[];
  readonly accepted: readonly string[];
  readonly rejected: readonly string[];
  readonly rejectedErrors: readonly Error[];
  readonly pipelined: boolean;
}

/** Of one recipient whom the server refused. */
export interface RejectedError extends Error {
  /** As it was passed. */
  readonly recipient?: string;
}

export interface SendResult {
  readonly response: string;
  readonly rejectedErrors?: readonly RejectedError[];
}

/** What the library writes a message to: all that it uses of its own stream. */
export interface MessageSink {
  readonly outByteCount: number;
  write(message: Content): void;
  end(): void;
}

export function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The server's words behind an error of the library, if it is about such. */
export function responseOf(error: unknown): string {
  return error instanceof Error && "response" in error ? String(error.response) : "";
}
