//! The tokens file: one token a line, each with the name of its owner.
//!
//! ```text
//! # name    token                               expiry, if any
//! trainer   6m0T…at least 32 characters…Qx
//! trainer   9fJd…the next one, while both hold…  2027-01-31T00:00:00Z
//! ```
//!
//! Fields are separated by blanks. Lines of one name are one owner's, so that a token is rotated by a second line. What is wrong is told
//! by the line's number and never by what stands there, which may be a secret.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::str::FromStr as _;
use std::time::SystemTime;

use sha2::{Digest as _, Sha256};
use subtle::{ConditionallySelectable as _, ConstantTimeEq as _};
use zeroize::Zeroizing;

use crate::episode::Owner;

/// The shortest token: 32 characters of the 64 hold 192 bits, where they are random.
const TOKEN_CHARS_MIN: usize = 32;
/// The longest; a longer one is refused unseen.
pub(super) const TOKEN_CHARS_MAX: usize = 512;
const NAME_CHARS_MAX: usize = 64;
/// Each request is compared with every one of them.
const TOKENS_MAX: usize = 1000;
const FILE_BYTES_MAX: u64 = 1 << 20;
/// Permissions that let others than owner and group at the file.
const OTHERS: u32 = 0o007;

/// Why a tokens file can't be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    #[error("{0}")]
    Read(#[from] io::Error),
    #[error("it has more than {FILE_BYTES_MAX} bytes")]
    Large,
    #[error("it lists no token, so nobody could do anything; give it one, or start without it")]
    Empty,
    #[error("line {line}: {what}")]
    Line { line: usize, what: String },
}

/// One token. The secret itself is not kept.
struct Token {
    owner: Owner,
    digest: [u8; 32],
    expires: Option<SystemTime>,
}

/// All that a file lists.
pub(crate) struct Tokens(Vec<Token>);

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|token| token.owner.name()))
            .finish()
    }
}

/// Why a token is refused. The caller isn't told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rejected {
    Unknown,
    Expired,
}

/// What is to be known of a file beside its tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) tokens: usize,
    pub(crate) expired: usize,
    /// Users other than its owner and group may read or change it.
    pub(crate) open_to_others: bool,
}

impl Tokens {
    /// Reads a file.
    pub(crate) fn read(path: &Path) -> Result<(Self, Found), FileError> {
        let mut file = File::open(path)?;
        let metadata = file.metadata()?;
        if metadata.len() > FILE_BYTES_MAX {
            return Err(FileError::Large);
        }
        // With all of its room at once: a text that grows leaves copies behind.
        let room = usize::try_from(FILE_BYTES_MAX + 1).unwrap_or(usize::MAX);
        let mut text = Zeroizing::new(String::with_capacity(room));
        (&mut file)
            .take(FILE_BYTES_MAX + 1)
            .read_to_string(&mut text)?;
        if text.len() as u64 > FILE_BYTES_MAX {
            return Err(FileError::Large);
        }
        let tokens = Self::parse(&text)?;
        let now = SystemTime::now();
        let found = Found {
            tokens: tokens.0.len(),
            expired: tokens.0.iter().filter(|token| token.ended(now)).count(),
            open_to_others: metadata.mode() & OTHERS != 0,
        };
        Ok((tokens, found))
    }

    fn parse(text: &str) -> Result<Self, FileError> {
        let mut tokens: Vec<Token> = Vec::new();
        for (at, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let refuse = |what: String| FileError::Line { line: at + 1, what };
            let token = parse_line(line).map_err(refuse)?;
            if tokens.iter().any(|other| other.digest == token.digest) {
                return Err(refuse("the token stands in a line before".to_owned()));
            }
            if tokens.len() == TOKENS_MAX {
                return Err(refuse(format!("there may be {TOKENS_MAX} tokens")));
            }
            tokens.push(token);
        }
        if tokens.is_empty() {
            return Err(FileError::Empty);
        }
        Ok(Self(tokens))
    }

    /// Whose token this is. Takes as long for one that is nearly right as for any other: what is compared are digests, all of them, each to
    /// its end.
    pub(super) fn owner(&self, token: &str, now: SystemTime) -> Result<&Owner, Rejected> {
        let digest = digest(token);
        let mut found = u32::MAX;
        for (at, listed) in (0_u32..).zip(&self.0) {
            found.conditional_assign(&at, listed.digest.ct_eq(&digest));
        }
        match usize::try_from(found).ok().and_then(|at| self.0.get(at)) {
            None => Err(Rejected::Unknown),
            Some(token) if token.ended(now) => Err(Rejected::Expired),
            Some(token) => Ok(&token.owner),
        }
    }
}

impl Token {
    fn ended(&self, now: SystemTime) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

fn parse_line(line: &str) -> Result<Token, String> {
    let mut fields = line.split_whitespace();
    let (name, token, expires) = (fields.next(), fields.next(), fields.next());
    let (Some(name), Some(token)) = (name, token) else {
        return Err("it has to be a name, a token and, if it is to expire, a time".to_owned());
    };
    if fields.next().is_some() {
        return Err("there is something behind name, token and time".to_owned());
    }
    let of_name = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if name.len() > NAME_CHARS_MAX || !name.bytes().all(of_name) {
        return Err(format!(
            "the name has to be 1 to {NAME_CHARS_MAX} of [A-Za-z0-9._-]"
        ));
    }
    if !(TOKEN_CHARS_MIN..=TOKEN_CHARS_MAX).contains(&token.len()) || !is_token(token) {
        return Err(format!(
            "the token has to be {TOKEN_CHARS_MIN} to {TOKEN_CHARS_MAX} of [A-Za-z0-9._~+/-], with `=` at its end alone"
        ));
    }
    let expires = expires.map(parse_time).transpose()?;
    Ok(Token {
        owner: Owner::named(name),
        digest: digest(token),
        expires,
    })
}

/// The syntax of a bearer token: RFC 6750, section 2.1, `b64token`.
pub(super) fn is_token(text: &str) -> bool {
    let of_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
    let body = text.trim_end_matches('=');
    !body.is_empty() && body.bytes().all(of_token)
}

/// A time of RFC 3339, section 5.6, with its zone.
fn parse_time(text: &str) -> Result<SystemTime, String> {
    let wrong =
        || "the time has to be as of RFC 3339, with its zone: 2027-01-31T00:00:00Z".to_owned();
    let bytes = text.as_bytes();
    let zoned = match bytes.last() {
        Some(b'Z') => true,
        _ => bytes
            .len()
            .checked_sub(6)
            .and_then(|at| bytes.get(at))
            .is_some_and(|sign| matches!(sign, b'+' | b'-')),
    };
    // What the parser takes beyond that: a date alone, a blank for the T, no zone.
    if !zoned || bytes.len() < "2027-01-31T00:00:00Z".len() || bytes.get(10) != Some(&b'T') {
        return Err(wrong());
    }
    let time = prost_types::Timestamp::from_str(text).map_err(|_| wrong())?;
    SystemTime::try_from(time).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const ONE: &str = "0123456789abcdefghijklmnopqrstuv";
    const TWO: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ-._~+/==";

    fn refused(text: &str) -> String {
        Tokens::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn a_token_is_found_with_its_owner_until_it_expires() {
        let text = format!(
            "# both of one owner\n\n  a {ONE}\n\ta\t{TWO}  2027-01-31T02:00:00+02:00 \nb.c-d_1 {ONE}x\n"
        );
        let tokens = Tokens::parse(&text).unwrap();
        let expiry = SystemTime::UNIX_EPOCH + Duration::from_secs(1_801_353_600);
        let before = expiry - Duration::from_secs(1);
        assert_eq!(tokens.owner(ONE, before), Ok(&Owner::named("a")));
        assert_eq!(tokens.owner(TWO, before), Ok(&Owner::named("a")));
        assert_eq!(
            tokens.owner(&format!("{ONE}x"), before),
            Ok(&Owner::named("b.c-d_1"))
        );
        assert_eq!(tokens.owner(TWO, expiry), Err(Rejected::Expired));
        assert_eq!(tokens.owner(ONE, expiry), Ok(&Owner::named("a")));
        for unknown in ["", "a", &ONE[1..], &format!("{ONE}y"), &TWO[..32]] {
            assert_eq!(tokens.owner(unknown, before), Err(Rejected::Unknown));
        }
    }

    #[test]
    fn what_is_wrong_is_told_by_its_line_and_never_with_the_secret() {
        let long = "x".repeat(512);
        Tokens::parse(&format!("a {long}")).unwrap();
        let (short, longer) = (&ONE[1..], format!("{long}x"));
        for (line, told) in [
            (ONE.to_owned(), "a name, a token"),
            (
                format!("a {ONE} 2027-01-31T00:00:00Z x"),
                "something behind",
            ),
            (format!("a/b {ONE}"), "the name has to be"),
            (format!("{} {ONE}", "n".repeat(65)), "the name has to be"),
            (format!("a {short}"), "the token has to be 32 to 512"),
            (format!("a {longer}"), "the token has to be 32 to 512"),
            (format!("a {ONE}=x"), "the token has to be"),
            (format!("a {ONE}ä"), "the token has to be"),
            (format!("a {ONE} 2027-01-31"), "RFC 3339"),
            (format!("a {ONE} 2027-01-31T00:00:00"), "RFC 3339"),
            (format!("a {ONE} 2027-13-31T00:00:00Z"), "RFC 3339"),
            (format!("a {TWO}"), "stands in a line before"),
        ] {
            let refused = refused(&format!("# a comment\nz {TWO}\n{line}\n"));
            assert!(refused.starts_with("line 3: "), "{refused}");
            assert!(refused.contains(told), "{refused}");
            for secret in [ONE, TWO, short, &long] {
                assert!(!refused.contains(secret), "{refused}");
            }
        }
        assert!(refused("# nothing\n").contains("lists no token"));
        let many =
            |count: usize| -> String { (0..count).map(|at| format!("a {ONE}{at}\n")).collect() };
        assert_eq!(Tokens::parse(&many(1000)).unwrap().0.len(), 1000);
        assert!(refused(&many(1001)).starts_with("line 1001: there may be 1000"));
    }

    #[test]
    fn neither_the_secret_nor_its_digest_is_shown() {
        let tokens = Tokens::parse(&format!("a {ONE}\nb {TWO}")).unwrap();
        assert_eq!(format!("{tokens:?}"), r#"["a", "b"]"#);
    }
}
