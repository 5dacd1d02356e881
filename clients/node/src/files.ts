import type { Connection, Route } from "./connection.js";
import { CodingEnvError, Reason } from "./errors.js";
import {
  CodingEnvDefinition,
  FileChunk,
  type FileFailure,
  type FileSelector,
  type FilesSummary,
  ReadFilesRequest,
  WriteFilesRequest,
  type WriteFilesResponse,
} from "./gen/coding_env/v1/coding_env.js";

const { methods } = CodingEnvDefinition;
/** A call that writes has about so much, so that a connection that breaks costs no more than that again. */
const CALL_BYTES = 64 << 20;
const CALL_FILES = 1000;
/** Bytes of a file in one message. */
const PIECE_BYTES = 256 << 10;

/** Files by their paths, which are relative to the workspace: bytes, or text. */
export type NewFiles = Record<string, Uint8Array | string>;

/** The files of an episode's workspace, the directory that its program starts in: `env.files`. */
export class Files {
  /** @internal */
  constructor(
    private readonly connection: Connection,
    private readonly current: () => Route,
  ) {}

  /**
   * Writes files, each whole or not at all, in the place of what is there; directories on their way are made. FILES when some can't be
   * written: the others are, and `failures` tells which and why.
   */
  async write(files: NewFiles, limits: { signal?: AbortSignal | undefined } = {}): Promise<void> {
    const route = this.current();
    const failures: FileFailure[] = [];
    let failed = 0;
    for (const group of grouped(files)) {
      const end = Date.now() + this.connection.deadlineMs;
      const reply = await this.connection.retrying(end, limits.signal, async (before) => {
        const requests = writing(route.id, group);
        let last: WriteFilesResponse | undefined;
        for await (const response of this.connection.open(methods.writeFiles, requests, route, end, limits.signal, before)) {
          last = response;
        }
        if (!last) {
          throw new CodingEnvError(Reason.CONNECT, "the call ended before the reply", { before });
        }
        return last;
      });
      failures.push(...reply.failures);
      failed += reply.failed;
    }
    check(failed, failures, false);
  }

  /**
   * Reads files: their content by their paths. A pattern is a path, or a glob if it has one of `*?[{`; `**` is any number of directories.
   * FILES when some can't be read: `failures` tells which and why. Content is held in memory; in a path, what is not UTF-8 is U+FFFD.
   */
  async read(patterns: string | readonly string[], limits: { signal?: AbortSignal | undefined } = {}): Promise<Record<string, Buffer>> {
    const route = this.current();
    const files = [patterns].flat().map(selector);
    const request: ReadFilesRequest = { ...ReadFilesRequest.fromPartial({ episodeId: route.id }), files };
    const end = Date.now() + this.connection.deadlineMs;
    const { found, summary } = await this.connection.retrying(end, limits.signal, async (before) => {
      const found = new Map<string, Buffer>();
      let summary: FilesSummary | undefined;
      let path = "";
      let pieces: Uint8Array[] = [];
      for await (const response of this.connection.open(methods.readFiles, [request], route, end, limits.signal, before)) {
        for (const chunk of response.chunks) {
          if (chunk.file) {
            path = pathOf(chunk.file);
            pieces = [];
          }
          pieces.push(chunk.data);
          if (chunk.end && !chunk.end.error) {
            found.set(path, Buffer.concat(pieces));
          }
        }
        summary = response.summary ?? summary;
      }
      return { found, summary };
    });
    check(summary?.failed ?? 0, summary?.failures ?? [], summary?.truncated ?? false);
    return Object.fromEntries(found);
  }
}

function selector(pattern: string): FileSelector {
  const isGlob = /[*?[{]/.test(pattern);
  return { selector: isGlob ? { $case: "glob", glob: pattern } : { $case: "path", path: pattern } };
}

function pathOf(message: { path: string; rawPath: Uint8Array }): string {
  return message.rawPath.length > 0 ? Buffer.from(message.rawPath).toString() : message.path;
}

/** Files, in order, in the groups of one call each. */
function grouped(files: NewFiles): [string, Uint8Array][][] {
  const groups: [string, Uint8Array][][] = [];
  let group: [string, Uint8Array][] = [];
  let bytes = 0;
  for (const [path, content] of Object.entries(files)) {
    if (group.length === 0 || bytes >= CALL_BYTES || group.length >= CALL_FILES) {
      groups.push((group = []));
      bytes = 0;
    }
    const data = typeof content === "string" ? Buffer.from(content) : content;
    group.push([path, data]);
    bytes += data.length;
  }
  return groups;
}

/** The messages of a call. */
function* writing(episodeId: string, files: [string, Uint8Array][]): Generator<WriteFilesRequest> {
  let request = WriteFilesRequest.fromPartial({ episodeId });
  let bytes = 0;
  for (const [path, data] of files) {
    for (let at = 0; at === 0 || at < data.length; at += PIECE_BYTES) {
      const piece = data.subarray(at, at + PIECE_BYTES);
      const chunk = FileChunk.fromPartial({ data: Buffer.from(piece.buffer, piece.byteOffset, piece.length) });
      if (at === 0) {
        chunk.file = FileChunk.fromPartial({ file: { path } }).file;
      }
      if (at + PIECE_BYTES >= data.length) {
        chunk.end = FileChunk.fromPartial({ end: {} }).end;
      }
      request.chunks.push(chunk);
      bytes += piece.length;
      if (bytes >= PIECE_BYTES) {
        yield request;
        request = WriteFilesRequest.fromPartial({});
        bytes = 0;
      }
    }
  }
  yield request;
}

function check(failed: number, failures: FileFailure[], isTruncated: boolean): void {
  if (failed === 0 && !isTruncated) {
    return;
  }
  const first = failures[0];
  const which = first ? `, first with \`${pathOf(first)}\`: ${first.error?.message}` : "";
  const message = failed > 0 ? `something is wrong with ${failed} files${which}` : "a limit ended the call before all was found";
  throw new CodingEnvError(Reason.FILES, message, { failures });
}
