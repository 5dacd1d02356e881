//! Reads and lists files. What it finds goes out in batches of about [`PIECE_BYTES`].

use std::os::fd::OwnedFd;

use bytes::Bytes;
use rustix::io::Errno;

use super::path::FilePath;
use super::root::Root;
use super::walk::{Found, WalkLimits, Walked, walk};
use super::{CallLimits, ErrorKind, FileError, Hash, Info, Kind, PIECE_BYTES, Selector, Summary};

/// Pieces in a batch, and bytes that each counts beside its data.
const BATCH_PIECES_MAX: usize = 1000;
const PIECE_OVERHEAD_BYTES: usize = 64;

/// A piece of a file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) file: Option<Info>,
    pub(crate) data: Bytes,
    pub(crate) end: Option<End>,
}

/// The end of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) sha256: Option<[u8; 32]>,
    /// Why what was read is not the whole.
    pub(crate) error: Option<FileError>,
}

/// What is to be read.
#[derive(Debug, Clone)]
pub(crate) struct Reading {
    pub(crate) selectors: Vec<Selector>,
    pub(crate) sha256: bool,
    pub(crate) max_file_bytes: Option<u64>,
    /// Directories that a glob finds come too.
    pub(crate) directories: bool,
}

/// What is to be listed.
#[derive(Debug, Clone)]
pub(crate) struct Listing {
    pub(crate) selectors: Vec<Selector>,
    pub(crate) sha256: bool,
}

/// Collects pieces and sends them on, some at a time.
struct Batch<'a, T, E> {
    pieces: Vec<T>,
    bytes: usize,
    send: &'a mut dyn FnMut(Vec<T>) -> Result<(), E>,
}

impl<T, E> Batch<'_, T, E> {
    fn add(&mut self, piece: T, bytes: usize) -> Result<(), E> {
        self.pieces.push(piece);
        self.bytes += bytes + PIECE_OVERHEAD_BYTES;
        if self.bytes >= PIECE_BYTES || self.pieces.len() >= BATCH_PIECES_MAX {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), E> {
        self.bytes = 0;
        if self.pieces.is_empty() {
            return Ok(());
        }
        (self.send)(std::mem::take(&mut self.pieces))
    }
}

/// A call that reads.
struct Reader<'a, 'b, E> {
    root: &'a Root,
    reading: &'a Reading,
    limits: CallLimits,
    summary: Summary,
    batch: Batch<'b, Piece, E>,
}

/// Reads files and sends them. An error is what `send` returns, and ends it.
pub(crate) fn read<E>(
    root: &Root,
    reading: &Reading,
    limits: CallLimits,
    send: &mut dyn FnMut(Vec<Piece>) -> Result<(), E>,
) -> Result<Summary, E> {
    let mut reader = Reader {
        root,
        reading,
        limits,
        summary: Summary::default(),
        batch: Batch {
            pieces: Vec::new(),
            bytes: 0,
            send,
        },
    };
    for selector in &reading.selectors {
        match selector {
            Selector::Path(path) => {
                reader.file(path.clone(), None)?;
            }
            Selector::Pattern(pattern) => {
                let mut failures = std::mem::take(&mut reader.summary.failures);
                let walked = walk(
                    root,
                    pattern,
                    WalkLimits::default(),
                    &mut failures,
                    |found, failures| {
                        std::mem::swap(&mut reader.summary.failures, failures);
                        let more = reader.found(found);
                        std::mem::swap(&mut reader.summary.failures, failures);
                        more
                    },
                )?;
                reader.summary.failures = failures;
                reader.summary.truncated |= walked == Walked::Part;
            }
        }
    }
    reader.batch.flush()?;
    Ok(reader.summary)
}

impl<E> Reader<'_, '_, E> {
    fn is_full(&self) -> bool {
        self.summary.files >= self.limits.files || self.summary.bytes >= self.limits.bytes
    }

    /// What a glob has found. False when no more may come.
    fn found(&mut self, found: Found) -> Result<bool, E> {
        let Found { path, kind } = found;
        match kind {
            Kind::File => self.file(path, Some(kind)),
            Kind::Directory if self.reading.directories => {
                if self.is_full() {
                    return Ok(false);
                }
                match self.root.stat(&path) {
                    Ok(stat) => {
                        let info = Info::new(path, &stat);
                        self.summary.files += 1;
                        self.send_piece(Some(info), Bytes::new(), Some(End::default()))?;
                    }
                    Err(Errno::NOENT) => {}
                    Err(error) => self.summary.failures.add(path, error.into()),
                }
                Ok(true)
            }
            _ => Ok(true),
        }
    }

    fn send_piece(&mut self, file: Option<Info>, data: Bytes, end: Option<End>) -> Result<(), E> {
        let bytes = data.len() + file.as_ref().map_or(0, |file| file.path.as_bytes().len());
        self.batch.add(Piece { file, data, end }, bytes)
    }

    /// Reads a file. False when no more may come.
    fn file(&mut self, path: FilePath, known: Option<Kind>) -> Result<bool, E> {
        if self.is_full() {
            self.summary.truncated = true;
            return Ok(false);
        }
        let (file, stat) = match self.root.file(&path, known) {
            Ok(opened) => opened,
            // What was found a moment ago and has gone was not there.
            Err(error) if known.is_some() && error.kind == ErrorKind::NotFound => return Ok(true),
            Err(error) => {
                self.summary.failures.add(path, error);
                return Ok(true);
            }
        };
        let info = Info::new(path.clone(), &stat);
        let left = self.limits.bytes - self.summary.bytes;
        let max = self.reading.max_file_bytes.unwrap_or(u64::MAX).min(left);
        let end = self.content(&file, info, max)?;
        match end.error.clone() {
            None => self.summary.files += 1,
            Some(error) => {
                self.summary.truncated |= max == left && error.kind == ErrorKind::TooLarge;
                self.summary.failures.add(path, error);
            }
        }
        Ok(!self.summary.truncated)
    }

    /// Sends a file's content, at most `max` bytes of it. Its size is what comes until its end, whatever it says.
    fn content(&mut self, file: &OwnedFd, info: Info, max: u64) -> Result<End, E> {
        let mut hash = Hash::new(self.reading.sha256);
        let told = info.size;
        let mut first = Some(info);
        let (mut done, mut left) = (0, max);
        loop {
            // Room for one byte more than may come, or than the size says, tells whether there are more.
            let likely = match told.checked_sub(done) {
                Some(rest) => rest.min(left),
                None => left,
            };
            let wanted = usize::try_from(likely).unwrap_or(usize::MAX);
            let wanted = PIECE_BYTES.min(wanted.saturating_add(1));
            let mut data = Vec::with_capacity(wanted);
            let mut error = None;
            let mut over = false;
            while data.len() < wanted {
                match rustix::io::read(file, rustix::buffer::spare_capacity(&mut data)) {
                    Ok(0) => {
                        over = true;
                        break;
                    }
                    Ok(_) => {}
                    Err(Errno::INTR) => {}
                    Err(errno) => {
                        error = Some(FileError::from(errno));
                        over = true;
                        break;
                    }
                }
            }
            if u64::try_from(data.len()).unwrap_or(u64::MAX) > left {
                data.truncate(usize::try_from(left).unwrap_or(usize::MAX));
                let text = format!("it has more than the {max} bytes that may be read of it");
                error = Some(FileError::new(ErrorKind::TooLarge, text));
                over = true;
            }
            let bytes = u64::try_from(data.len()).unwrap_or(u64::MAX);
            left -= bytes;
            done += bytes;
            self.summary.bytes += bytes;
            hash.update(&data);
            let end = over.then(|| End {
                sha256: std::mem::take(&mut hash)
                    .finish()
                    .filter(|_| error.is_none()),
                error,
            });
            self.send_piece(first.take(), data.into(), end.clone())?;
            if let Some(end) = end {
                return Ok(end);
            }
        }
    }
}

/// Lists files and sends what they are. An error is what `send` returns, and ends it.
pub(crate) fn list<E>(
    root: &Root,
    listing: &Listing,
    limits: CallLimits,
    send: &mut dyn FnMut(Vec<Info>) -> Result<(), E>,
) -> Result<Summary, E> {
    let mut summary = Summary::default();
    let mut batch = Batch {
        pieces: Vec::new(),
        bytes: 0,
        send,
    };
    let mut hashed = 0;
    let mut one = |path: FilePath, summary: &mut Summary, batch: &mut Batch<'_, Info, E>| {
        if summary.files >= limits.files {
            summary.truncated = true;
            return Ok(false);
        }
        let mut info = match root.stat(&path) {
            Ok(stat) => Info::new(path.clone(), &stat),
            Err(errno) => {
                summary.failures.add(path, errno.into());
                return Ok(true);
            }
        };
        if listing.sha256 && info.kind == Kind::File {
            match hash_of(root, &path, limits.bytes - hashed) {
                Ok((sha256, bytes)) => {
                    hashed += bytes;
                    info.sha256 = sha256;
                    summary.truncated |= sha256.is_none();
                }
                Err(error) => summary.failures.add(path, error),
            }
        }
        summary.files += 1;
        let bytes = info.path.as_bytes().len();
        batch.add(info, bytes).map(|()| true)
    };
    for selector in &listing.selectors {
        match selector {
            Selector::Path(path) => {
                one(path.clone(), &mut summary, &mut batch)?;
            }
            Selector::Pattern(pattern) => {
                let mut failures = std::mem::take(&mut summary.failures);
                let walked = walk(
                    root,
                    pattern,
                    WalkLimits::default(),
                    &mut failures,
                    |found, failures| {
                        std::mem::swap(&mut summary.failures, failures);
                        let more = one(found.path, &mut summary, &mut batch);
                        std::mem::swap(&mut summary.failures, failures);
                        more
                    },
                )?;
                summary.failures = failures;
                summary.truncated |= walked == Walked::Part;
            }
        }
    }
    batch.flush()?;
    Ok(summary)
}

/// SHA-256 of a file, and how many bytes were read for it; no hash when there are more than `max`.
fn hash_of(root: &Root, path: &FilePath, max: u64) -> Result<(Option<[u8; 32]>, u64), FileError> {
    let (file, _) = root.file(path, None)?;
    let mut hash = Hash::new(true);
    let mut buffer = vec![0; PIECE_BYTES];
    let mut bytes = 0;
    loop {
        let count = rustix::io::retry_on_intr(|| rustix::io::read(&file, &mut buffer[..]))?;
        if count == 0 {
            return Ok((hash.finish(), bytes));
        }
        bytes += count as u64;
        if bytes > max {
            return Ok((None, max));
        }
        hash.update(buffer.get(..count).unwrap_or_default());
    }
}
