//! The frames between server and worker: pure encoding and decoding.
//!
//! A frame is its size as a 32-bit little-endian number (without these four bytes), a byte that says its kind, and the rest.
//! The harness's side is in `harness.py`. What comes from a worker is a claim of the program that runs in it, so decoding
//! takes nothing on trust: each frame is checked whole, and bounded before it is read.

use super::display::{self, Display};
use crate::wire::{Malformed, Reader, Writer};

const SETUP: u8 = 1;
const STEP: u8 = 2;
const DISCARD: u8 = 3;
const FORK: u8 = 4;
const COPY: u8 = 5;
const DONE: u8 = 6;
const TELL: u8 = 7;
const READY: u8 = 1;
const REPORT: u8 = 2;
const DISPLAY: u8 = 3;
const DISPLAYS_DROPPED: u8 = 4;
const OBSTACLES: u8 = 5;
const FORKED: u8 = 6;

/// The most copies that one fork makes: `COPIES_MAX` of `forks.rs`.
pub(crate) const COPIES_MAX: usize = 1024;

/// The bytes of a frame's size.
pub(crate) const HEADER_BYTES: usize = 4;
/// The largest exception type or text in a report; `TEXT_BYTES_MAX` of the harness.
const TEXT_BYTES_MAX: usize = 4096;
/// The largest part of a report beside its result.
const REPORT_OVERHEAD_BYTES_MAX: usize = 64 + 2 * TEXT_BYTES_MAX;

/// What an episode's interpreter gets before its first step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Setup {
    pub(crate) seed: Option<u64>,
    /// RLIMIT_AS of each process.
    pub(crate) memory_bytes: u64,
    /// RLIMIT_NOFILE of each process.
    pub(crate) open_files: u32,
    /// RLIMIT_FSIZE of each process.
    pub(crate) file_bytes: u64,
    /// Displays of a step.
    pub(crate) displays: u32,
    /// What all of a step's displays may have together.
    pub(crate) display_bytes: u32,
    pub(crate) environment: Vec<(String, String)>,
}

fn framed(body: Vec<u8>) -> Vec<u8> {
    Writer::default().block(&body).finish()
}

/// The request that prepares an interpreter. It has no reply.
pub(crate) fn encode_setup(setup: &Setup) -> Vec<u8> {
    let entries = u32::try_from(setup.environment.len()).unwrap_or(u32::MAX);
    let mut frame = Writer::new(SETUP)
        .u8(setup.seed.is_some().into())
        .u64(setup.seed.unwrap_or(0))
        .u64(setup.memory_bytes)
        .u64(setup.open_files.into())
        .u64(setup.file_bytes)
        .u32(setup.displays)
        .u32(setup.display_bytes)
        .u32(entries);
    for (name, value) in &setup.environment {
        frame = frame.block(name.as_bytes()).block(value.as_bytes());
    }
    framed(frame.finish())
}

/// What a step's result is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum ResultOf {
    /// `repr` of the last statement's value, when that is an expression.
    #[default]
    Expression,
    /// As the incumbent shows it: the value of the last statement, also of an assignment, a function or a class, as JSON where it can be that.
    Statement,
}

/// The request to run a step. `number` counts from 1; `mime_types` are the representations that displays are to have, with spaces between,
/// or empty. None when it is longer than a frame can be.
pub(crate) fn encode_step(
    number: u32,
    result_bytes: u32,
    result_of: ResultOf,
    mime_types: &str,
    source: &str,
) -> Option<Vec<u8>> {
    const HEAD_BYTES: usize = 12;
    let mime_bytes = u16::try_from(mime_types.len()).ok()?;
    let size = HEAD_BYTES + mime_types.len();
    let size = u32::try_from(size.checked_add(source.len())?).ok()?;
    Some(
        Writer::default()
            .u32(size)
            .u8(STEP)
            .u32(number)
            .u32(result_bytes)
            .u8(match result_of {
                ResultOf::Expression => 0,
                ResultOf::Statement => 1,
            })
            .u16(mime_bytes)
            .raw(mime_types.as_bytes())
            .raw(source.as_bytes())
            .finish(),
    )
}

/// The request to drop interrupts that came after a step's end. The reply is [`FromWorker::Ready`].
pub(crate) fn encode_discard() -> Vec<u8> {
    framed(Writer::new(DISCARD).finish())
}

/// The request to be copied. The reply is [`FromWorker::Obstacles`]; without any, orders for the copies follow.
pub(crate) fn encode_fork() -> Vec<u8> {
    framed(Writer::new(FORK).finish())
}

/// The order to make one copy, whose control socket, stdout and stderr come with the first byte. `seed`: what its random state begins with. `home`: the path
/// of its files, empty where that is its parent's.
pub(crate) fn encode_copy(seed: Option<u64>, home: &[u8]) -> Vec<u8> {
    let order = Writer::new(COPY)
        .u8(seed.is_some().into())
        .u64(seed.unwrap_or(0));
    framed(order.raw(home).finish())
}

/// All copies were ordered. The reply is [`FromWorker::Forked`].
pub(crate) fn encode_tell() -> Vec<u8> {
    framed(Writer::new(TELL).finish())
}

/// No more copies: the worker goes on, and does not reply.
pub(crate) fn encode_done() -> Vec<u8> {
    framed(Writer::new(DONE).finish())
}

/// How the program says that its step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReportedEnd {
    Completed,
    Raised,
    Exited,
}

/// The program's report of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Report {
    /// The step's number, from 1.
    pub(crate) number: u32,
    pub(crate) end: ReportedEnd,
    pub(crate) exit_code: i32,
    /// `ast.parse` refused the source.
    pub(crate) syntax_error: bool,
    /// A KeyboardInterrupt ended the step.
    pub(crate) interrupted: bool,
    pub(crate) result: Option<String>,
    pub(crate) result_truncated: bool,
    /// The exception's type and text.
    pub(crate) exception: Option<(String, String)>,
}

/// A frame from a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FromWorker {
    /// The interpreter waits for its first request.
    Ready,
    /// A step has ended.
    Report(Report),
    /// The step with this number shows something.
    Display(u32, Display),
    /// The step with this number showed so many things more than it may.
    DisplaysDropped(u32, u32),
    /// What can't be copied: a place among the words of obstacles, and a sentence. None: it can be. `shares`: its copies read of it what it would change if it went on
    /// before they are ready.
    Obstacles {
        found: Vec<(u8, String)>,
        shares: bool,
    },
    /// The process ids of the copies, as the worker sees them, or a negative errno each.
    Forked(Vec<i32>),
}

/// The most that a worker may send.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Largest {
    /// A frame's body.
    body_bytes: usize,
    /// The result in a report. A body may be larger for its displays' sake.
    result_bytes: usize,
}

impl Largest {
    /// For a step whose result may have `result_bytes` and whose displays together `display_bytes`.
    pub(crate) fn of_step(result_bytes: u32, display_bytes: u32) -> Self {
        let result_bytes = usize::try_from(result_bytes).unwrap_or(usize::MAX);
        Self {
            body_bytes: result_bytes
                .saturating_add(REPORT_OVERHEAD_BYTES_MAX)
                .max(display::body_bytes_max(display_bytes)),
            result_bytes,
        }
    }

    /// While no step runs.
    pub(crate) fn of_answer() -> Self {
        Self::of_step(0, 0)
    }
}

/// Takes the first whole frame off `buffer`. None when it isn't all there yet.
///
/// # Errors
/// A frame that is larger than it may be, or malformed.
pub(crate) fn decode(
    buffer: &mut Vec<u8>,
    largest: Largest,
) -> Result<Option<FromWorker>, Malformed> {
    let Some((header, rest)) = buffer.split_first_chunk::<HEADER_BYTES>() else {
        return Ok(None);
    };
    let size = usize::try_from(u32::from_le_bytes(*header)).map_err(|_| Malformed)?;
    if size > largest.body_bytes {
        return Err(Malformed);
    }
    let Some(body) = rest.get(..size) else {
        return Ok(None);
    };
    let frame = decode_body(body, largest)?;
    buffer.drain(..HEADER_BYTES + size);
    Ok(Some(frame))
}

fn decode_body(body: &[u8], largest: Largest) -> Result<FromWorker, Malformed> {
    let mut reader = Reader::new(body);
    match reader.u8()? {
        READY => {
            reader.end()?;
            Ok(FromWorker::Ready)
        }
        REPORT => decode_report(reader, largest.result_bytes).map(FromWorker::Report),
        DISPLAY => {
            let number = reader.u32()?;
            Display::decode(reader).map(|display| FromWorker::Display(number, display))
        }
        DISPLAYS_DROPPED => {
            let (number, count) = (reader.u32()?, reader.u32()?);
            reader.end()?;
            Ok(FromWorker::DisplaysDropped(number, count))
        }
        OBSTACLES => {
            let shares = reader.u8()? != 0;
            let found = (0..reader.u8()?)
                .map(|_| Ok((reader.u8()?, lossy_text(reader.block()?))))
                .collect::<Result<_, _>>()?;
            reader.end()?;
            Ok(FromWorker::Obstacles { found, shares })
        }
        FORKED => {
            let count = reader.u32()?;
            if usize::try_from(count).unwrap_or(usize::MAX) > COPIES_MAX {
                return Err(Malformed);
            }
            let pids = (0..count).map(|_| reader.i32()).collect::<Result<_, _>>()?;
            reader.end()?;
            Ok(FromWorker::Forked(pids))
        }
        _ => Err(Malformed),
    }
}

fn decode_report(mut reader: Reader<'_>, result_bytes_max: usize) -> Result<Report, Malformed> {
    const SYNTAX_ERROR: u8 = 1;
    const INTERRUPTED: u8 = 2;
    const HAS_RESULT: u8 = 4;
    const RESULT_CUT: u8 = 8;

    let number = reader.u32()?;
    let end = match reader.u8()? {
        1 => ReportedEnd::Completed,
        2 => ReportedEnd::Raised,
        3 => ReportedEnd::Exited,
        _ => return Err(Malformed),
    };
    let flags = reader.u8()?;
    let exit_code = reader.i32()?;
    let _result_bytes = reader.u64()?;
    let sizes = [reader.u32()?, reader.u32()?, reader.u32()?];
    let [result, kind, text] = sizes.map(|size| usize::try_from(size).unwrap_or(usize::MAX));
    let too_large = result > result_bytes_max || kind > TEXT_BYTES_MAX || text > TEXT_BYTES_MAX;
    if too_large || !(0..=255).contains(&exit_code) {
        return Err(Malformed);
    }
    let result = lossy_text(reader.take(result)?);
    let kind = lossy_text(reader.take(kind)?);
    let text = lossy_text(reader.take(text)?);
    reader.end()?;
    let has_exception = end == ReportedEnd::Raised && !kind.is_empty();
    Ok(Report {
        number,
        end,
        exit_code,
        syntax_error: flags & SYNTAX_ERROR != 0,
        interrupted: flags & INTERRUPTED != 0,
        result: (flags & HAS_RESULT != 0).then_some(result),
        result_truncated: flags & RESULT_CUT != 0,
        exception: has_exception.then_some((kind, text)),
    })
}

/// UTF-8 text; what isn't becomes U+FFFD, and a character that was cut in two at the end is left out.
pub(crate) fn lossy_text(bytes: &[u8]) -> String {
    let whole = match std::str::from_utf8(bytes) {
        Ok(text) => return text.to_owned(),
        Err(error) if error.error_len().is_none() => {
            bytes.get(..error.valid_up_to()).unwrap_or(bytes)
        }
        Err(_) => bytes,
    };
    String::from_utf8_lossy(whole).into_owned()
}

/// A part of the native half, which is compiled by itself: its tests run here.
#[cfg(test)]
#[path = "harness/source.rs"]
mod source;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A report as harness.py packs it.
    fn pack(report: &Report) -> Vec<u8> {
        let result = report.result.clone().unwrap_or_default();
        let (kind, text) = report.exception.clone().unwrap_or_default();
        let flags = u8::from(report.syntax_error)
            | u8::from(report.interrupted) << 1
            | u8::from(report.result.is_some()) << 2
            | u8::from(report.result_truncated) << 3;
        framed(
            Writer::new(REPORT)
                .u32(report.number)
                .u8(match report.end {
                    ReportedEnd::Completed => 1,
                    ReportedEnd::Raised => 2,
                    ReportedEnd::Exited => 3,
                })
                .u8(flags)
                .i32(report.exit_code)
                .u64(result.len() as u64)
                .u32(u32::try_from(result.len()).unwrap())
                .u32(u32::try_from(kind.len()).unwrap())
                .u32(u32::try_from(text.len()).unwrap())
                .raw(result.as_bytes())
                .raw(kind.as_bytes())
                .raw(text.as_bytes())
                .finish(),
        )
    }

    const LARGEST: Largest = Largest {
        body_bytes: 1 << 20,
        result_bytes: 1 << 20,
    };
    const THOUSAND: Largest = Largest {
        body_bytes: 1000,
        result_bytes: 1000,
    };

    fn report() -> impl Strategy<Value = Report> {
        let end = prop_oneof![
            Just(ReportedEnd::Completed),
            Just(ReportedEnd::Raised),
            Just(ReportedEnd::Exited)
        ];
        (
            any::<u32>(),
            end,
            0..256_i32,
            any::<(bool, bool, bool)>(),
            proptest::option::of(".{0,40}"),
            "[A-Z][a-z]{0,9}",
            ".{0,40}",
        )
            .prop_map(
                |(number, end, exit_code, flags, result, kind, text)| Report {
                    number,
                    end,
                    exit_code,
                    syntax_error: flags.0,
                    interrupted: flags.1,
                    result,
                    result_truncated: flags.2,
                    exception: (end == ReportedEnd::Raised).then_some((kind, text)),
                },
            )
    }

    proptest! {
        #[test]
        fn a_report_comes_out_as_it_went_in(report in report(), cut in any::<proptest::sample::Index>()) {
            let bytes = pack(&report);
            let mut partial = bytes[..cut.index(bytes.len())].to_vec();
            prop_assert_eq!(decode(&mut partial, LARGEST), Ok(None));
            let mut two = [bytes.clone(), bytes].concat();
            for _ in 0..2 {
                prop_assert_eq!(decode(&mut two, LARGEST), Ok(Some(FromWorker::Report(report.clone()))));
            }
            prop_assert!(two.is_empty());
        }

        #[test]
        fn displays_come_before_their_report(number in any::<u32>(), count in 1..9_u32, display in display::tests::any_display()) {
            let frame = |kind: u8| Writer::new(kind).u32(number);
            let mut bytes = [
                framed(frame(DISPLAY).raw(&display::tests::pack(&display)).finish()),
                framed(frame(DISPLAYS_DROPPED).u32(count).finish()),
            ]
            .concat();
            prop_assert_eq!(decode(&mut bytes, LARGEST), Ok(Some(FromWorker::Display(number, display))));
            prop_assert_eq!(decode(&mut bytes, LARGEST), Ok(Some(FromWorker::DisplaysDropped(number, count))));
            prop_assert!(bytes.is_empty());
        }

        #[test]
        fn no_bytes_make_the_decoder_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut framed = framed(bytes.clone());
            let mut raw = bytes;
            for buffer in [&mut raw, &mut framed] {
                while let Ok(Some(_)) = decode(buffer, THOUSAND) {}
            }
        }
    }

    #[test]
    fn a_frame_is_refused_by_its_size_before_it_is_read() {
        let mut buffer = 1001_u32.to_le_bytes().to_vec();
        assert_eq!(decode(&mut buffer, THOUSAND), Err(Malformed));
        let mut buffer = 1000_u32.to_le_bytes().to_vec();
        assert_eq!(decode(&mut buffer, THOUSAND), Ok(None));
    }

    #[test]
    fn a_result_is_no_larger_than_it_may_be_even_where_displays_may() {
        for (bytes, fits) in [(1000, true), (1001, false)] {
            let report = Report {
                number: 1,
                end: ReportedEnd::Completed,
                exit_code: 0,
                syntax_error: false,
                interrupted: false,
                result: Some("x".repeat(bytes)),
                result_truncated: false,
                exception: None,
            };
            let decoded = decode(&mut pack(&report), Largest::of_step(1000, 1 << 20));
            let expected = fits.then_some(Some(FromWorker::Report(report)));
            assert_eq!(decoded.ok(), expected, "{bytes}");
        }
    }

    #[test]
    fn a_character_cut_at_the_end_is_left_out() {
        assert_eq!(lossy_text("aé".as_bytes()), "aé");
        assert_eq!(lossy_text(&"aé".as_bytes()[..2]), "a");
        assert_eq!(lossy_text(b"a\xff\xc3"), "a\u{fffd}\u{fffd}");
    }
}
