//! The bearer token of a client.

use std::fmt;

use tonic::Request;
use tonic::metadata::AsciiMetadataValue;

use super::Error;

/// A bearer token, as the server's tokens file lists it. `Debug` hides it, and so do the logs of the libraries below.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(AsciiMetadataValue);

impl Token {
    /// A token.
    ///
    /// # Errors
    /// [`Error::Token`] when it holds anything but `[A-Za-z0-9._~+/-]` and `=` at its end (RFC 6750, section 2.1).
    pub fn new(token: &str) -> Result<Self, Error> {
        let of_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
        let body = token.trim_end_matches('=');
        if body.is_empty() || !body.bytes().all(of_token) {
            return Err(Error::Token);
        }
        let mut value =
            AsciiMetadataValue::try_from(format!("Bearer {token}")).map_err(|_| Error::Token)?;
        value.set_sensitive(true);
        Ok(Self(value))
    }

    /// Adds it to a request, of whatever service.
    pub fn authorize<T>(&self, request: &mut Request<T>) {
        request
            .metadata_mut()
            .insert("authorization", self.0.clone());
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Options;

    #[test]
    fn a_token_is_sent_and_never_shown() {
        let secret = "0123456789abcdefghijklmnopqrstuv==";
        let token = Token::new(secret).unwrap();
        let mut request = Request::new(());
        token.authorize(&mut request);
        let sent = request.metadata().get("authorization").unwrap();
        assert_eq!(sent.to_str().unwrap(), format!("Bearer {secret}"));
        let options = Options {
            token: Some(token),
            ..Options::default()
        };
        let shown = format!("{options:?} {request:?}");
        assert!(
            !shown.contains(secret) && shown.contains("hidden"),
            "{shown}"
        );
    }

    #[test]
    fn what_is_no_token_is_refused() {
        for text in ["", "=", "a b", "a=b", "a\nb", "ä"] {
            assert_eq!(Token::new(text), Err(Error::Token), "{text:?}");
        }
    }
}
