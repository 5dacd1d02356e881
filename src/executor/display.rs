//! What a step shows beside its text, as its program sends it: decoded, checked whole and bounded. Pure.
//!
//! The harness's side is in `displays.py`, which keeps the same bounds, so that whatever goes past them here is no mistake of a program but
//! a broken channel.

use crate::wire::{Malformed, Reader};

/// The largest representation that a frame may carry: larger ones are in files. `REPRESENTATION_BYTES_MAX` of the harness.
pub(crate) const REPRESENTATION_BYTES_MAX: u32 = 1 << 20;
/// Ways to show one thing; `REPRESENTATIONS_MAX` of the harness.
pub(crate) const REPRESENTATIONS_MAX: usize = 16;
/// The longest media type; `MIME_TYPE_BYTES_MAX` of the harness.
pub(crate) const MIME_TYPE_BYTES_MAX: usize = 128;
/// Where the harness puts what is too large for a frame, below the workspace.
const FOLDER: &str = ".displays/";
/// The longest path of a file there.
const FILE_PATH_BYTES_MAX: usize = 64;
/// What a representation takes in memory beside its bytes, about.
const OVERHEAD_BYTES: usize = 128;

/// One thing that a step showed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Display {
    /// It is the last statement's value.
    pub(crate) is_result: bool,
    pub(crate) representations: Vec<Representation>,
}

/// One way to show it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Representation {
    pub(crate) mime_type: String,
    /// Empty when the bytes are elsewhere, or nowhere.
    pub(crate) data: Vec<u8>,
    pub(crate) total_bytes: u64,
    /// Of the file that has them, from the workspace on. Empty: there is none.
    pub(crate) file_path: String,
}

impl Display {
    /// What it takes in memory, about.
    pub(crate) fn bytes(&self) -> usize {
        let of = |one: &Representation| {
            OVERHEAD_BYTES + one.mime_type.len() + one.data.len() + one.file_path.len()
        };
        self.representations.iter().map(of).sum()
    }

    fn data_bytes(&self) -> usize {
        self.representations.iter().map(|one| one.data.len()).sum()
    }

    /// The rest of a frame, after the step's number.
    pub(super) fn decode(mut reader: Reader<'_>) -> Result<Self, Malformed> {
        const IS_RESULT: u8 = 1;
        let flags = reader.u8()?;
        let count = usize::from(reader.u8()?);
        if flags & !IS_RESULT != 0 || !(1..=REPRESENTATIONS_MAX).contains(&count) {
            return Err(Malformed);
        }
        let mut representations: Vec<Representation> = Vec::with_capacity(count);
        for _ in 0..count {
            let one = Representation::decode(&mut reader)?;
            if representations
                .iter()
                .any(|other| other.mime_type == one.mime_type)
            {
                return Err(Malformed);
            }
            representations.push(one);
        }
        reader.end()?;
        Ok(Self {
            is_result: flags & IS_RESULT != 0,
            representations,
        })
    }
}

impl Representation {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let (mime_type, file_path) = (usize::from(reader.u8()?), usize::from(reader.u8()?));
        let total_bytes = reader.u64()?;
        let data = reader.u32()?;
        if data > REPRESENTATION_BYTES_MAX {
            return Err(Malformed);
        }
        let mime_type = text(reader.take(mime_type)?)?;
        let file_path = text(reader.take(file_path)?)?;
        let data = reader.take(usize::try_from(data).map_err(|_| Malformed)?)?;
        let is_whole = data.is_empty() || data.len() as u64 == total_bytes;
        let is_once = data.is_empty() || file_path.is_empty();
        if !is_mime_type(mime_type) || !is_file_path(file_path) || !is_whole || !is_once {
            return Err(Malformed);
        }
        Ok(Self {
            mime_type: mime_type.to_owned(),
            data: data.to_vec(),
            total_bytes,
            file_path: file_path.to_owned(),
        })
    }
}

fn text(bytes: &[u8]) -> Result<&str, Malformed> {
    std::str::from_utf8(bytes).map_err(|_| Malformed)
}

/// Whether a text is a media type, without parameters: two names as RFC 6838 has them, and a slash between.
pub(crate) fn is_mime_type(text: &str) -> bool {
    let is_name = |name: &str| {
        let may_be = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte);
        !name.is_empty() && name.bytes().all(may_be)
    };
    text.len() <= MIME_TYPE_BYTES_MAX
        && text
            .split_once('/')
            .is_some_and(|(kind, name)| is_name(kind) && is_name(name))
}

/// Whether a path is one that the harness gives, or empty. Clients fetch it, so a program must not choose another.
fn is_file_path(path: &str) -> bool {
    let is_name = |name: &str| {
        let may_be = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        name.split_once('.').is_some_and(|(stem, suffix)| {
            !stem.is_empty()
                && !suffix.is_empty()
                && (stem.bytes().chain(suffix.bytes())).all(may_be)
        })
    };
    path.is_empty()
        || path.len() <= FILE_PATH_BYTES_MAX && path.strip_prefix(FOLDER).is_some_and(is_name)
}

/// The largest frame with a display, when those of a step may have `display_bytes`.
pub(super) fn body_bytes_max(display_bytes: u32) -> usize {
    const HEAD_BYTES: usize = 16;
    let each = HEAD_BYTES + MIME_TYPE_BYTES_MAX + FILE_PATH_BYTES_MAX;
    usize::try_from(display_bytes)
        .unwrap_or(usize::MAX)
        .saturating_add(HEAD_BYTES + REPRESENTATIONS_MAX * each)
}

/// The displays of one step, within their bounds.
#[derive(Debug)]
pub(crate) struct Displays {
    left: u32,
    bytes_left: usize,
    shown: Shown,
}

/// What a step showed beside its text.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) displays: Vec<Display>,
    /// How many there were beyond.
    pub(crate) dropped: u32,
}

impl Displays {
    /// At most so many, with so many bytes.
    pub(crate) fn new(max: u32, bytes_max: u32) -> Self {
        Self {
            left: max,
            bytes_left: usize::try_from(bytes_max).unwrap_or(usize::MAX),
            shown: Shown::default(),
        }
    }

    /// Takes one more.
    ///
    /// # Errors
    /// It is past a bound, which the harness keeps.
    pub(crate) fn push(&mut self, display: Display) -> Result<(), Malformed> {
        self.left = self.left.checked_sub(1).ok_or(Malformed)?;
        let left = self.bytes_left.checked_sub(display.data_bytes());
        self.bytes_left = left.ok_or(Malformed)?;
        self.shown.displays.push(display);
        Ok(())
    }

    /// Takes the number of those that were dropped, which comes last and once.
    ///
    /// # Errors
    /// It has come before, or is none.
    pub(crate) fn drop_more(&mut self, count: u32) -> Result<(), Malformed> {
        if count == 0 || self.shown.dropped > 0 {
            return Err(Malformed);
        }
        self.shown.dropped = count;
        Ok(())
    }

    pub(crate) fn finish(self) -> Shown {
        self.shown
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire::Writer;

    /// A display as the harness packs it, after the step's number.
    pub(crate) fn pack(display: &Display) -> Vec<u8> {
        let count = u8::try_from(display.representations.len()).unwrap();
        let mut writer = Writer::default().u8(display.is_result.into()).u8(count);
        for one in &display.representations {
            writer = writer
                .u8(u8::try_from(one.mime_type.len()).unwrap())
                .u8(u8::try_from(one.file_path.len()).unwrap())
                .u64(one.total_bytes)
                .u32(u32::try_from(one.data.len()).unwrap())
                .raw(one.mime_type.as_bytes())
                .raw(one.file_path.as_bytes())
                .raw(&one.data);
        }
        writer.finish()
    }

    fn png(data: &[u8]) -> Representation {
        Representation {
            mime_type: "image/png".to_owned(),
            data: data.to_vec(),
            total_bytes: data.len() as u64,
            file_path: String::new(),
        }
    }

    fn display(representations: Vec<Representation>) -> Display {
        Display {
            is_result: false,
            representations,
        }
    }

    fn decode(display: &Display) -> Result<Display, Malformed> {
        Display::decode(Reader::new(&pack(display)))
    }

    pub(crate) fn any_display() -> impl Strategy<Value = Display> {
        let data = proptest::collection::vec(any::<u8>(), 0..40);
        let one = ("[a-z]{1,5}", data, any::<bool>(), 0..9_u64).prop_map(
            |(name, data, in_file, number)| {
                let data = if in_file { Vec::new() } else { data };
                Representation {
                    mime_type: format!("text/{name}"),
                    total_bytes: data.len() as u64 + if in_file { 1 << 40 } else { 0 },
                    data,
                    file_path: if in_file {
                        format!(".displays/1-{number}.png")
                    } else {
                        String::new()
                    },
                }
            },
        );
        (any::<bool>(), proptest::collection::vec(one, 1..5)).prop_map(
            |(is_result, mut representations)| {
                representations.sort_by(|one, other| one.mime_type.cmp(&other.mime_type));
                representations.dedup_by(|one, other| one.mime_type == other.mime_type);
                Display {
                    is_result,
                    representations,
                }
            },
        )
    }

    proptest! {
        #[test]
        fn a_display_comes_out_as_it_went_in(display in any_display()) {
            prop_assert_eq!(decode(&display), Ok(display));
        }

        #[test]
        fn no_bytes_make_the_decoder_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            drop(Display::decode(Reader::new(&bytes)));
        }
    }

    #[test]
    fn what_the_harness_never_sends_is_malformed() {
        let change = |change: fn(&mut Representation)| {
            let mut one = png(b"x");
            change(&mut one);
            decode(&display(vec![one]))
        };
        drop(change(|_| {}).unwrap());
        assert_eq!(
            change(|one| one.file_path = ".displays/1-1.png".to_owned()),
            Err(Malformed)
        );
        assert_eq!(change(|one| one.total_bytes = 2), Err(Malformed));
        for mime_type in [
            "",
            "png",
            "image/",
            "/png",
            "image/png; x=1",
            "image/p\u{e9}ng",
            "a/b/c",
        ] {
            let one = Representation {
                mime_type: mime_type.to_owned(),
                ..png(b"x")
            };
            assert_eq!(decode(&display(vec![one])), Err(Malformed), "{mime_type:?}");
        }
        let in_file = |path: &str| {
            let one = Representation {
                file_path: path.to_owned(),
                total_bytes: 9,
                ..png(b"")
            };
            decode(&display(vec![one]))
        };
        drop(in_file(".displays/3-1.png").unwrap());
        for path in [
            "3-1.png",
            "/etc/passwd",
            ".displays/",
            ".displays/../x.png",
            ".displays/a/b.png",
            ".displays/.x",
            ".displays/x.",
            ".displays/X.png",
            ".displays/a\0.png",
            ".displays/a.b.png",
        ] {
            assert_eq!(in_file(path), Err(Malformed), "{path:?}");
        }
        drop(in_file(&format!(".displays/{}.png", "1".repeat(50))).unwrap());
        assert_eq!(
            in_file(&format!(".displays/{}.png", "1".repeat(51))),
            Err(Malformed)
        );
        // The same way twice, none, and too many.
        assert_eq!(decode(&display(vec![png(b"x"), png(b"y")])), Err(Malformed));
        assert_eq!(decode(&display(Vec::new())), Err(Malformed));
        let many = |count: usize| {
            let one = |at| Representation {
                mime_type: format!("text/{at}"),
                ..png(b"x")
            };
            decode(&display((0..count).map(one).collect()))
        };
        drop(many(REPRESENTATIONS_MAX).unwrap());
        assert_eq!(many(REPRESENTATIONS_MAX + 1), Err(Malformed));
        // A flag from the future.
        assert_eq!(Display::decode(Reader::new(&[2, 1])), Err(Malformed));
    }

    #[test]
    fn a_representation_travels_up_to_its_bound() {
        let bytes = usize::try_from(REPRESENTATION_BYTES_MAX).unwrap();
        drop(decode(&display(vec![png(&vec![7; bytes])])).unwrap());
        let past = display(vec![png(&vec![7; bytes + 1])]);
        assert_eq!(decode(&past), Err(Malformed));
    }

    #[test]
    fn more_displays_or_bytes_than_a_step_may_have_are_refused() {
        let mut displays = Displays::new(2, 10);
        displays.push(display(vec![png(&[0; 8])])).unwrap();
        displays.push(display(vec![png(&[0; 2])])).unwrap();
        assert_eq!(displays.push(display(vec![png(b"")])), Err(Malformed));
        assert_eq!(displays.drop_more(0), Err(Malformed));
        displays.drop_more(5).unwrap();
        assert_eq!(displays.drop_more(1), Err(Malformed));
        let shown = displays.finish();
        assert_eq!((shown.displays.len(), shown.dropped), (2, 5));
        let mut displays = Displays::new(2, 10);
        let past = display(vec![png(&[0; 11])]);
        assert_eq!(displays.push(past), Err(Malformed));
    }
}
