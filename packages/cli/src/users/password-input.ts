// A password, from a pipe or from a terminal, where nobody sees it. Called by `homing users`.

import { isUtf8 } from "node:buffer";
import process from "node:process";
import { buffer } from "node:stream/consumers";
import { CommandFailure } from "../failure.ts";
import { safe } from "../terminal-text.ts";

/** Some thousand of the most usual ones have fewer (NIST SP 800-63B §5.1.1.1). */
const MIN_CHARACTERS = 8;
/** An AUTH line has room for more; nobody types them. */
const MAX_OCTETS = 1024;

const BACKSPACE = ["\u007f", "\b"];
const ENTER = ["\r", "\n"];
const LINE_DELETED = "\u0015";
const GIVEN_UP = ["\u0003", "\u0004"];

/** A new one: at a terminal typed twice. */
export async function newPassword(name: string): Promise<string> {
  if (!process.stdin.isTTY) return checked(await pipedPassword());
  return await atTerminal(async (ask) => {
    const password = checked(await ask(`New password of ${safe(name)}: `));
    if ((await ask("Once more: ")) === password) return password;
    throw new CommandFailure("usage", "the two passwords differ: nothing was changed: type them again");
  });
}

export async function knownPassword(name: string): Promise<string> {
  if (!process.stdin.isTTY) return await pipedPassword();
  return await atTerminal((ask) => ask(`Password of ${safe(name)}: `));
}

/** The first line. */
async function pipedPassword(): Promise<string> {
  const octets = await buffer(limited(process.stdin));
  if (!isUtf8(octets)) throw new CommandFailure("usage", "the password on stdin is not UTF-8: write it so");
  const [line = ""] = octets.toString("utf8").split("\n", 1);
  return line.endsWith("\r") ? line.slice(0, -1) : line;
}

async function* limited(input: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let octets = 0;
  for await (const piece of input) {
    octets += piece.length;
    // A password and an end of line.
    if (octets > MAX_OCTETS + 2) throw tooLong();
    yield piece;
  }
}

function checked(password: string): string {
  if (Buffer.byteLength(password) > MAX_OCTETS) throw tooLong();
  if (/\p{Cc}/u.test(password))
    throw new CommandFailure(
      "usage",
      "the password holds a control character, which nobody can type: take it out",
    );
  if ([...password].length >= MIN_CHARACTERS) return password;
  const message = `the password has fewer than ${MIN_CHARACTERS} characters and can be guessed: take a longer one`;
  throw new CommandFailure("usage", message);
}

function tooLong(): CommandFailure {
  return new CommandFailure("usage", `the password has more than ${MAX_OCTETS} octets: take a shorter one`);
}

type Ask = (prompt: string) => Promise<string>;

/** No echo: the terminal gives each key to us alone, until all is asked. */
async function atTerminal(dialogue: (ask: Ask) => Promise<string>): Promise<string> {
  const { stdin } = process;
  stdin.setRawMode(true);
  stdin.setEncoding("utf8");
  try {
    return await dialogue(async (prompt) => {
      process.stderr.write(prompt);
      const line = await typedLine(stdin);
      process.stderr.write("\n");
      return line;
    });
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
  }
}

function typedLine(stdin: NodeJS.ReadStream): Promise<string> {
  return new Promise((resolve, reject) => {
    const typed: string[] = [];
    const leave = (): void => {
      stdin.off("data", hear);
      stdin.off("end", giveUp);
    };
    const giveUp = (): void => {
      leave();
      process.stderr.write("\n");
      reject(new CommandFailure("usage", "given up at the password: nothing was changed"));
    };
    const hear = (keys: string): void => {
      let read = 0;
      for (const key of keys) {
        read += key.length;
        if (GIVEN_UP.includes(key)) {
          giveUp();
          return;
        }
        if (ENTER.includes(key)) {
          leave();
          // Who pastes both at once has typed both.
          if (read < keys.length) stdin.unshift(keys.slice(read));
          resolve(typed.join(""));
          return;
        }
        if (BACKSPACE.includes(key)) typed.pop();
        else if (key === LINE_DELETED) typed.length = 0;
        else if (typed.length <= MAX_OCTETS) typed.push(key);
      }
    };
    stdin.on("data", hear);
    stdin.once("end", giveUp);
    stdin.resume();
  });
}
