// `homing import postsrsd`: a homing.yaml from the configuration of a PostSRSd. Nothing is written but to stdout.
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { type PostsrsdSettings, parsePostsrsdFile } from "@homing/mta-adapters/import";
import { CommandFailure, EXIT, systemFailure } from "../failure.ts";
import { importedConfig, renderImported } from "../import/postsrsd-config.ts";
import { createOutput } from "../output.ts";

export interface ImportOptions {
  /** Where the file leaves it to another program. */
  readonly srsDomain?: string;
  readonly json?: true;
}

export async function importPostsrsd(file: string, options: ImportOptions): Promise<number> {
  const output = createOutput(options.json === true);
  const read = parsePostsrsdFile(await textOf(file));
  if (!read.ok) throw wrong(file, read.problem.line, read.problem.message);
  const { settings } = read;
  if (!settings.socketmap && !settings.milter && !settings.forward)
    throw wrong(file, 1, "PostSRSd serves nothing here: set socketmap");
  const imported = importedConfig(settings, options.srsDomain ?? (await srsDomainOf(settings, file)));
  const { config, notes } = imported;
  if (output.json) {
    output.document({ ok: true, config, notes: notes.map((note) => placed(file, note)) });
    return EXIT.ok;
  }
  const heading = `Serves what PostSRSd ${settings.version} served: made from ${file} by homing import postsrsd.`;
  output.data(renderImported(imported, heading).trimEnd());
  for (const { line, message } of notes)
    output.talk(`homing: ${line > 0 ? `${file}:${line}: ` : ""}${message}`);
  return EXIT.ok;
}

function placed(
  file: string,
  { line, message }: { readonly line: number; readonly message: string },
): object {
  return line > 0 ? { file, line, message } : { message };
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw systemFailure(file, error);
  }
}

/** As PostSRSd finds it: version 2 takes the first of the own domains, version 1 asks Postfix. */
async function srsDomainOf(settings: PostsrsdSettings, file: string): Promise<string> {
  const { version, srsDomain, ownDomains, ownDomainsFile } = settings;
  if (srsDomain !== undefined) return srsDomain;
  if (version === 1)
    throw wrong(
      file,
      1,
      "SRS_DOMAIN is not set: PostSRSd asks Postfix: add --srs-domain with what `postconf -h mydomain` prints",
    );
  const [first] = ownDomains.length > 0 || !ownDomainsFile ? ownDomains : await domainsIn(ownDomainsFile);
  if (first !== undefined) return first.replace(/^\./, "");
  throw wrong(file, 1, "neither srs-domain nor domains tell the SRS domain: add --srs-domain with its name");
}

/** A daemon's folder is /. */
async function domainsIn(file: string): Promise<readonly string[]> {
  const lines = (await textOf(resolve("/", file))).split("\n").map((line) => line.trim());
  return lines.filter((line) => line !== "" && !line.startsWith("#"));
}

function wrong(file: string, line: number, message: string): CommandFailure {
  return new CommandFailure("config", `${file}:${line}: ${message}`);
}
