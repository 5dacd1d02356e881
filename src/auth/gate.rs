//! What every request passes first: it gets its owner, or is refused.

use std::sync::Arc;

use http::Request;

use super::Auth;
use crate::episode::Owner;

/// Before everything that answers requests, whatever their protocol.
#[derive(Debug, Clone)]
pub(crate) struct Gate(Option<Arc<Auth>>);

impl Gate {
    /// Without tokens every request is of the owner who has no name.
    pub(crate) fn new(auth: Option<Arc<Auth>>) -> Self {
        Self(auth)
    }

    /// Puts its owner into a request. False when it needs one and has none: then it is to be refused, and its body not read.
    pub(crate) fn admits<B>(&self, request: &mut Request<B>) -> bool {
        let owner = match &self.0 {
            None => Owner::default(),
            // What is open needs no owner: it is not about episodes.
            Some(auth) if auth.is_open(request.uri().path()) => return true,
            Some(auth) => match auth.owner(request.headers()) {
                Some(owner) => owner,
                None => return false,
            },
        };
        request.extensions_mut().insert(owner);
        true
    }
}
