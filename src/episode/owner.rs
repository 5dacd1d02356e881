//! Whose an episode is.

use std::fmt;
use std::sync::Arc;

/// Whose an episode is: a name of the tokens file. A server without tokens has one owner, who has no name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Owner(Option<Arc<str>>);

impl Owner {
    /// The owner of this name.
    pub(crate) fn named(name: &str) -> Self {
        Self(Some(name.into()))
    }

    /// Their episode with this id.
    pub(crate) fn episode(&self, id: String) -> EpisodeKey {
        EpisodeKey {
            owner: self.clone(),
            id,
        }
    }

    /// The name, or nothing.
    pub(crate) fn name(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }
}

/// Which episode is meant. Ids are each owner's own: those of others do not exist to them, and none can take or probe another's.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct EpisodeKey {
    pub(crate) owner: Owner,
    pub(crate) id: String,
}

impl fmt::Display for EpisodeKey {
    /// `ID`, or `OWNER/ID`, for logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.owner.name() {
            "" => f.write_str(&self.id),
            name => write!(f, "{name}/{}", self.id),
        }
    }
}
