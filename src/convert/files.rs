//! The part of the contract that is about files.

use std::collections::HashSet;

use bytes::Bytes;
use tonic::Status;

use super::some_duration;
use crate::files::path::{DEPTH_MAX, PATH_BYTES_MAX};
use crate::files::read::{End, Listing, Piece, Reading};
use crate::files::write::{BadChunk, Written};
use crate::files::{
    CHUNK_BYTES_MAX, ErrorKind, Failures, FileError, FilePath, Info, Kind, Moment, NewChunk,
    NewEnd, NewFile, Pattern, Selector, Summary,
};
use crate::limits::FileLimits;
use crate::proto::v1;
use crate::status::Violations;

/// Entries of the field `files` of a request.
pub(crate) const SELECTORS_MAX: usize = 1000;
/// Files that a Reset may bring, and the sum of their data: they travel with the environment beside a source.
pub(crate) const RESET_FILES_MAX: usize = 256;
pub(crate) const RESET_BYTES_MAX: usize = 512 << 10;
/// The permission bits that a file may have.
const MODE_MAX: u32 = 0o777;
/// What google.protobuf.Timestamp can say, in seconds: from the year 1 to 9999.
const SECONDS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

fn told(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

pub(crate) fn limits_message(limits: &FileLimits) -> v1::FileLimits {
    let FileLimits {
        calls,
        waiting_calls,
        files_per_call,
        bytes_per_call,
        stall_timeout,
    } = *limits;
    v1::FileLimits {
        calls,
        waiting_calls,
        files_per_call,
        bytes_per_call,
        chunk_bytes: told(CHUNK_BYTES_MAX),
        path_bytes: told(PATH_BYTES_MAX),
        depth: told(DEPTH_MAX),
        selectors: told(SELECTORS_MAX),
        reset_files: told(RESET_FILES_MAX),
        reset_bytes: told(RESET_BYTES_MAX),
        stall_timeout: some_duration(stall_timeout),
    }
}

/// A path that was given in one of two fields.
fn path(
    violations: &mut Violations,
    field: &str,
    (path, raw_path): (String, Vec<u8>),
) -> Option<FilePath> {
    let (name, bytes) = match (path.is_empty(), raw_path.is_empty()) {
        (false, false) => {
            let text = "is set, and `path` too: one of them is enough";
            violations.add(&format!("{field}raw_path"), text, &[]);
            return None;
        }
        (true, false) => ("raw_path", raw_path),
        _ => ("path", path.into_bytes()),
    };
    checked_path(violations, &format!("{field}{name}"), &bytes)
}

fn checked_path(violations: &mut Violations, field: &str, bytes: &[u8]) -> Option<FilePath> {
    match FilePath::new(bytes) {
        Ok(path) => Some(path),
        Err(bad) => {
            violations.add(field, bad.to_string(), &[]);
            None
        }
    }
}

fn mode(violations: &mut Violations, field: &str, mode: Option<u32>) -> Option<u32> {
    if mode.is_some_and(|mode| mode > MODE_MAX) {
        violations.add(
            &format!("{field}mode"),
            "has more than permission bits: it has to be between 0 and 511 (0777), the maximum",
            &[("maximum", MODE_MAX.to_string())],
        );
    }
    mode
}

fn moment(
    violations: &mut Violations,
    field: &str,
    time: Option<prost_types::Timestamp>,
) -> Option<Moment> {
    let prost_types::Timestamp { seconds, nanos } = time?;
    match u32::try_from(nanos) {
        Ok(nanos) if nanos < 1_000_000_000 && SECONDS.contains(&seconds) => {
            Some(Moment { seconds, nanos })
        }
        _ => {
            let text = "is no time from the year 1 to 9999";
            violations.add(&format!("{field}modify_time"), text, &[]);
            None
        }
    }
}

/// The files of a Reset.
pub(super) fn first_files(
    violations: &mut Violations,
    asked: Vec<v1::ResetFile>,
) -> Vec<(NewFile, Bytes)> {
    let bytes: usize = asked.iter().map(|file| file.data.len()).sum();
    for (what, count, max) in [
        ("files", asked.len(), RESET_FILES_MAX),
        ("bytes of data", bytes, RESET_BYTES_MAX),
    ] {
        if count > max {
            violations.add(
                "files",
                format!("has {count} {what}: a Reset may bring {max}, the maximum; WriteFiles takes more"),
                &[("count", count.to_string()), ("maximum", max.to_string())],
            );
            return Vec::new();
        }
    }
    let mut files = Vec::new();
    for (at, file) in asked.into_iter().enumerate() {
        let v1::ResetFile {
            path: text,
            raw_path,
            mode: bits,
            modify_time,
            data,
        } = file;
        let field = format!("files[{at}].");
        let mode = mode(violations, &field, bits);
        let modified = moment(violations, &field, modify_time);
        let Some(path) = path(violations, &field, (text, raw_path)) else {
            continue;
        };
        let file = NewFile {
            path,
            directory: false,
            mode,
            modified,
            size: None,
        };
        files.push((file, Bytes::from(data)));
    }
    let mut seen = HashSet::new();
    for (at, (file, _)) in files.iter().enumerate() {
        if !seen.insert(file.path.as_bytes()) {
            violations.add(&format!("files[{at}].path"), "is given twice", &[]);
        }
    }
    for (at, (file, _)) in files.iter().enumerate() {
        if file.path.ancestors().any(|path| seen.contains(path)) {
            let text = "leads through another one, which is a file";
            violations.add(&format!("files[{at}].path"), text, &[]);
        }
    }
    files
}

fn new_file(violations: &mut Violations, file: v1::FileInfo) -> Option<NewFile> {
    const FIELD: &str = "chunks.file.";
    let v1::FileInfo {
        path: text,
        raw_path,
        kind,
        mode: bits,
        size,
        modify_time,
        // Of a reply. A copy of one is a good beginning of a file.
        sha256: _,
    } = file;
    let directory = match v1::FileKind::try_from(kind) {
        Ok(v1::FileKind::Unspecified | v1::FileKind::File) => false,
        Ok(v1::FileKind::Directory) => true,
        _ => {
            violations.add(
                "chunks.file.kind",
                "can't be written: it has to be FILE_KIND_FILE or FILE_KIND_DIRECTORY",
                &[],
            );
            false
        }
    };
    Some(NewFile {
        mode: mode(violations, FIELD, bits),
        modified: moment(violations, FIELD, modify_time),
        path: path(violations, FIELD, (text, raw_path))?,
        directory,
        size: size.filter(|_| !directory),
    })
}

/// The chunks of a message.
pub(crate) fn new_chunks(chunks: Vec<v1::FileChunk>) -> Result<Vec<NewChunk>, Status> {
    let mut violations = Violations::default();
    let mut new = Vec::with_capacity(chunks.len());
    for chunk in chunks {
        let v1::FileChunk { file, data, end } = chunk;
        let end = end.map(|end| {
            let v1::FileEnd { sha256, error } = end;
            match (error, <[u8; 32]>::try_from(sha256.as_slice())) {
                (Some(_), _) => NewEnd::GivenUp,
                (None, Ok(sha256)) => NewEnd::Whole(Some(sha256)),
                (None, Err(_)) => {
                    if !sha256.is_empty() {
                        let text = "is no SHA-256, which has 32 bytes";
                        violations.add("chunks.end.sha256", text, &[]);
                    }
                    NewEnd::Whole(None)
                }
            }
        });
        let file = file.and_then(|file| new_file(&mut violations, file));
        new.push(NewChunk { file, data, end });
    }
    violations.check()?;
    Ok(new)
}

/// What a client may not send.
pub(crate) fn bad_chunk(bad: &BadChunk, written: u32) -> Status {
    let mut violations = Violations::default();
    let field = match bad {
        BadChunk::NoFile
        | BadChunk::DirectoryData
        | BadChunk::LongChunk(_)
        | BadChunk::Bytes(_) => "chunks.data",
        BadChunk::NotEnded(_) | BadChunk::Files(_) => "chunks.file",
    };
    let mut values = vec![("written", written.to_string())];
    match bad {
        BadChunk::LongChunk(bytes) => {
            values.push(("bytes", bytes.to_string()));
            values.push(("maximum", CHUNK_BYTES_MAX.to_string()));
        }
        BadChunk::Files(max) => values.push(("maximum", max.to_string())),
        BadChunk::Bytes(max) => values.push(("maximum", max.to_string())),
        BadChunk::NotEnded(path) => values.push(("path", path.clone())),
        BadChunk::NoFile | BadChunk::DirectoryData => {}
    }
    violations.add(field, bad.to_string(), &values);
    match violations.check() {
        Err(status) => status,
        Ok(()) => Status::invalid_argument(bad.to_string()),
    }
}

/// One call is about one episode.
pub(crate) fn other_episode() -> Status {
    let mut violations = Violations::default();
    let text = "is another one than in the first message";
    violations.add("episode_id", text, &[]);
    match violations.check() {
        Err(status) => status,
        Ok(()) => Status::invalid_argument(text),
    }
}

fn selectors(
    violations: &mut Violations,
    files: Vec<v1::FileSelector>,
    required: bool,
) -> Vec<Selector> {
    if required && files.is_empty() {
        violations.add("files", "is required: name at least one", &[]);
    }
    if files.len() > SELECTORS_MAX {
        violations.add(
            "files",
            format!(
                "has {} entries: it may have {SELECTORS_MAX}, the maximum",
                files.len()
            ),
            &[
                ("count", files.len().to_string()),
                ("maximum", SELECTORS_MAX.to_string()),
            ],
        );
        return Vec::new();
    }
    let mut found = Vec::new();
    for (at, file) in files.into_iter().enumerate() {
        let v1::FileSelector { selector } = file;
        let name = |name: &str| format!("files[{at}].{name}");
        let selector = match selector {
            Some(v1::file_selector::Selector::Path(path)) => {
                checked_path(violations, &name("path"), path.as_bytes()).map(Selector::Path)
            }
            Some(v1::file_selector::Selector::RawPath(path)) => {
                checked_path(violations, &name("raw_path"), &path).map(Selector::Path)
            }
            Some(v1::file_selector::Selector::Glob(glob)) => match Pattern::new(&glob) {
                Ok(pattern) => Some(Selector::Pattern(pattern)),
                Err(error) => {
                    violations.add(&name("glob"), error, &[]);
                    None
                }
            },
            None => {
                violations.add(&name("selector"), "is required", &[]);
                None
            }
        };
        found.extend(selector);
    }
    found
}

/// Checks a ReadFiles of the episode `episode_id`, which the request need not hold any more.
pub(crate) fn reading(episode_id: &str, request: v1::ReadFilesRequest) -> Result<Reading, Status> {
    let v1::ReadFilesRequest {
        episode_id: _,
        files,
        sha256,
        max_file_bytes,
        directories,
    } = request;
    let mut violations = Violations::default();
    super::check_episode_id(&mut violations, episode_id);
    let selectors = selectors(&mut violations, files, true);
    violations.check()?;
    Ok(Reading {
        selectors,
        sha256,
        max_file_bytes,
        directories,
    })
}

/// Checks a ListFiles.
pub(crate) fn listing(episode_id: &str, request: v1::ListFilesRequest) -> Result<Listing, Status> {
    let v1::ListFilesRequest {
        episode_id: _,
        files,
        sha256,
    } = request;
    let mut violations = Violations::default();
    super::check_episode_id(&mut violations, episode_id);
    let mut selectors = selectors(&mut violations, files, false);
    violations.check()?;
    if selectors.is_empty() {
        selectors.extend(Pattern::all().map(Selector::Pattern));
    }
    Ok(Listing { selectors, sha256 })
}

/// Checks a DeleteFiles: what is meant, and whether directories go with all that is in them.
pub(crate) fn deletion(
    episode_id: &str,
    request: v1::DeleteFilesRequest,
) -> Result<(Vec<Selector>, bool), Status> {
    let v1::DeleteFilesRequest {
        episode_id: _,
        files,
        recursive,
    } = request;
    let mut violations = Violations::default();
    super::check_episode_id(&mut violations, episode_id);
    let selectors = selectors(&mut violations, files, true);
    violations.check()?;
    Ok((selectors, recursive))
}

/// A path in its two fields.
fn path_fields(path: &FilePath) -> (String, Vec<u8>) {
    match std::str::from_utf8(path.as_bytes()) {
        Ok(text) => (text.to_owned(), Vec::new()),
        Err(_) => (String::new(), path.as_bytes().to_vec()),
    }
}

fn error_message(error: FileError) -> v1::FileError {
    use v1::FileErrorKind as To;
    let FileError { kind, text } = error;
    let kind = match kind {
        ErrorKind::Unspecified => To::Unspecified,
        ErrorKind::NotFound => To::NotFound,
        ErrorKind::NotAFile => To::NotAFile,
        ErrorKind::IsADirectory => To::IsADirectory,
        ErrorKind::NotADirectory => To::NotADirectory,
        ErrorKind::TooLarge => To::TooLarge,
        ErrorKind::NoSpace => To::NoSpace,
        ErrorKind::Permission => To::Permission,
        ErrorKind::NotEmpty => To::NotEmpty,
        ErrorKind::Mismatch => To::Mismatch,
        ErrorKind::Incomplete => To::Incomplete,
        ErrorKind::TooDeep => To::TooDeep,
    };
    v1::FileError {
        kind: kind.into(),
        message: text,
    }
}

fn failures_message(failures: Failures) -> (u32, Vec<v1::FileFailure>) {
    let message = |(path, error): (FilePath, FileError)| {
        let (path, raw_path) = path_fields(&path);
        v1::FileFailure {
            path,
            raw_path,
            error: Some(error_message(error)),
        }
    };
    (
        failures.count,
        failures.told.into_iter().map(message).collect(),
    )
}

/// What there is.
pub(crate) fn info_message(info: Info) -> v1::FileInfo {
    let Info {
        path,
        kind,
        mode,
        size,
        modified: Moment { seconds, nanos },
        sha256,
    } = info;
    let (path, raw_path) = path_fields(&path);
    let kind = match kind {
        Kind::File => v1::FileKind::File,
        Kind::Directory => v1::FileKind::Directory,
        Kind::Link => v1::FileKind::Link,
        Kind::Other => v1::FileKind::Other,
    };
    v1::FileInfo {
        path,
        raw_path,
        kind: kind.into(),
        mode: Some(mode),
        size: Some(size),
        modify_time: Some(prost_types::Timestamp {
            seconds,
            nanos: i32::try_from(nanos).unwrap_or(0),
        }),
        sha256: sha256.map(Vec::from).unwrap_or_default(),
    }
}

/// A piece of a file.
pub(crate) fn chunk_message(piece: Piece) -> v1::FileChunk {
    let Piece { file, data, end } = piece;
    let end = end.map(|End { sha256, error }| v1::FileEnd {
        sha256: sha256.map(Vec::from).unwrap_or_default(),
        error: error.map(error_message),
    });
    v1::FileChunk {
        file: file.map(info_message),
        data,
        end,
    }
}

/// What a call found.
pub(crate) fn summary_message(summary: Summary) -> v1::FilesSummary {
    let Summary {
        files,
        bytes,
        failures,
        truncated,
    } = summary;
    let (failed, failures) = failures_message(failures);
    v1::FilesSummary {
        files,
        bytes,
        failed,
        failures,
        truncated,
    }
}

/// The reply to WriteFiles.
pub(crate) fn write_response(written: Written, server_id: &str) -> v1::WriteFilesResponse {
    let Written {
        files,
        bytes,
        failures,
    } = written;
    let (failed, failures) = failures_message(failures);
    v1::WriteFilesResponse {
        written: files,
        bytes,
        failed,
        failures,
        server_id: server_id.to_owned(),
    }
}

/// The reply to DeleteFiles.
pub(crate) fn delete_response(summary: Summary, server_id: &str) -> v1::DeleteFilesResponse {
    let Summary {
        files,
        bytes: _,
        failures,
        truncated,
    } = summary;
    let (failed, failures) = failures_message(failures);
    v1::DeleteFilesResponse {
        deleted: files,
        failed,
        failures,
        truncated,
        server_id: server_id.to_owned(),
    }
}
