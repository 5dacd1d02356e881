// The details of an error: the parts of google.rpc.Status that this client uses, read from their bytes.
import { BinaryReader } from "@bufbuild/protobuf/wire";

/** One field of a request that was refused. */
export interface FieldViolation {
  /** Its path in the request: "limits.output_bytes". */
  field: string;
  /** What would be right. */
  description: string;
}

export interface Details {
  reason?: string;
  metadata: Record<string, string>;
  fields: FieldViolation[];
  retryAfterMs?: number;
}

/** Calls `visit` with each field of a message; what it does not read is skipped. */
function visit(bytes: Uint8Array, visit: (field: number, reader: BinaryReader) => boolean): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    const before = reader.pos;
    if (!visit(field, reader) && reader.pos === before) {
      reader.skip(wireType, field);
    }
  }
}

/** Two texts in fields 1 and 2: an entry of a map, a violation. */
function pair(bytes: Uint8Array): [string, string] {
  const both: [string, string] = ["", ""];
  visit(bytes, (field, reader) => {
    if (field !== 1 && field !== 2) {
      return false;
    }
    both[field - 1] = reader.string();
    return true;
  });
  return both;
}

/** Reads `grpc-status-details-bin`. Bytes that are no status count as none. */
export function readDetails(bytes: Buffer | string | undefined): Details {
  const details: Details = { metadata: {}, fields: [] };
  if (!(bytes instanceof Uint8Array)) {
    return details;
  }
  try {
    visit(bytes, (field, reader) => {
      if (field !== 3) {
        return false;
      }
      readDetail(reader.bytes(), details);
      return true;
    });
  } catch {
    return { metadata: {}, fields: [] };
  }
  return details;
}

function readDetail(bytes: Uint8Array, details: Details): void {
  let type = "";
  let value: Uint8Array = new Uint8Array();
  visit(bytes, (field, reader) => {
    if (field === 1) {
      type = reader.string();
    } else if (field === 2) {
      value = reader.bytes();
    } else {
      return false;
    }
    return true;
  });
  switch (type.slice(type.lastIndexOf("/") + 1)) {
    case "google.rpc.ErrorInfo":
      visit(value, (field, reader) => {
        if (field === 1) {
          details.reason = reader.string();
        } else if (field === 3) {
          const [key, text] = pair(reader.bytes());
          details.metadata[key] = text;
        } else {
          return false;
        }
        return true;
      });
      break;
    case "google.rpc.RetryInfo":
      visit(value, (field, reader) => {
        if (field !== 1) {
          return false;
        }
        let ms = 0;
        visit(reader.bytes(), (field, reader) => {
          if (field === 1) {
            ms += Number(reader.int64()) * 1000;
          } else if (field === 2) {
            ms += reader.int32() / 1e6;
          } else {
            return false;
          }
          return true;
        });
        details.retryAfterMs = ms;
        return true;
      });
      break;
    case "google.rpc.BadRequest":
      visit(value, (field, reader) => {
        if (field !== 1) {
          return false;
        }
        const [name, description] = pair(reader.bytes());
        details.fields.push({ field: name, description });
        return true;
      });
      break;
  }
}
