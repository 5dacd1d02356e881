//! A session: what one connection is, or what `openenv/session/create` made. It holds a place and has one episode after the other.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use super::check::ResetOptions;
use super::wire::{Shown, StateShown};
use crate::config::Config;
use crate::episode::{Episodes, NewEpisode, NewStep, Owner, Place, Refusal};
use crate::executor::ResultOf;
use crate::limits::EpisodeLimits;

/// The most text of each stream, and of a value, on this wire: clients take frames of 100 MiB, and a byte can take six in JSON.
const OUTPUT_BYTES_MAX: u32 = 5 << 20;
const RESULT_BYTES_MAX: u32 = 4 << 20;

/// What every session of a server has in common.
#[derive(Debug)]
pub(super) struct Profile {
    limits: EpisodeLimits,
    reset_reward: Option<f64>,
}

impl Profile {
    pub(super) fn new(config: &Config) -> Self {
        let limits = config.limits;
        Self {
            limits: EpisodeLimits {
                output_bytes: limits.output_bytes.min(OUTPUT_BYTES_MAX),
                result_bytes: limits.result_bytes.min(RESULT_BYTES_MAX),
                ..limits
            },
            reset_reward: config.transforms.reset_reward(),
        }
    }

    /// Those of every episode.
    pub(super) fn limits(&self) -> EpisodeLimits {
        self.limits
    }

    /// The longest source of a step.
    pub(super) fn source_bytes(&self) -> usize {
        usize::try_from(self.limits.source_bytes).unwrap_or(usize::MAX)
    }

    /// What a reset shows.
    pub(super) fn reset_shown(&self) -> Shown {
        Shown::of_reset(self.reset_reward)
    }
}

/// A session. Dropping it ends its episode, also in mid-step.
#[derive(Debug)]
pub(super) struct Session {
    owner: Owner,
    place: Place,
    profile: Arc<Profile>,
    /// Locked by whoever uses the episode: one frame after the other.
    state: Mutex<StateShown>,
}

impl Session {
    /// Starts one, if there is a place.
    pub(super) fn start(
        episodes: &Episodes,
        profile: &Arc<Profile>,
        owner: Owner,
    ) -> Result<Self, Refusal> {
        Ok(Self {
            owner,
            place: episodes.hold_place()?,
            profile: Arc::clone(profile),
            state: Mutex::default(),
        })
    }

    /// Whose it is.
    pub(super) fn owner(&self) -> &Owner {
        &self.owner
    }

    /// Whether it is theirs.
    pub(super) fn is_of(&self, owner: &Owner) -> bool {
        self.owner == *owner
    }

    async fn new_episode(&self, seed: Option<u64>) -> Result<String, Refusal> {
        let new = NewEpisode {
            seed,
            ..NewEpisode::plain(self.owner.clone(), self.profile.limits)
        };
        Ok(self.place.reset(new).await?.id)
    }

    /// Starts a fresh episode.
    ///
    /// # Cancel-Safety
    /// Safe: the session is then without an episode, or has the one before.
    pub(super) async fn reset(&self, options: ResetOptions) -> Result<Shown, Refusal> {
        let mut state = self.state.lock().await;
        let ResetOptions { seed, label } = options;
        let id = self.new_episode(seed).await?;
        *state = StateShown {
            episode_id: Some(label.unwrap_or(id)),
            ..StateShown::default()
        };
        Ok(self.profile.reset_shown())
    }

    /// Runs code. Without an episode it makes one, which has no name.
    ///
    /// # Cancel-Safety
    /// Safe: a step that was begun goes on in its episode, for as long as the session lives.
    pub(super) async fn step(
        &self,
        code: String,
        timeout: Option<Duration>,
    ) -> Result<Shown, Refusal> {
        let mut state = self.state.lock().await;
        if !self.place.has_episode() {
            self.new_episode(None).await?;
        }
        let step = NewStep {
            timeout,
            result_of: ResultOf::Statement,
            ..NewStep::plain(code.clone())
        };
        let answer = self.place.step(step).await?;
        let reply = answer.reply.facts();
        state.step_count = reply.step_count;
        state.last_exit_code = reply.exit_code;
        let texts = answer.texts.unwrap_or_default();
        Ok(Shown::of_step(&code, reply, &texts))
    }

    /// Its state.
    pub(super) async fn state(&self) -> StateShown {
        self.state.lock().await.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ServeArgs;

    #[test]
    fn texts_are_bounded_by_the_server_and_by_what_a_frame_may_hold() {
        let profile = |output_bytes, result_bytes| {
            let mut args = ServeArgs::from_environment().unwrap();
            args.max_output_bytes = output_bytes;
            args.max_result_bytes = result_bytes;
            let limits = Profile::new(&Config::try_from(args).unwrap()).limits;
            (limits.output_bytes, limits.result_bytes)
        };
        for (configured, held) in [
            ((1 << 20, 1 << 18), (1 << 20, 1 << 18)),
            ((5 << 20, 4 << 20), (5 << 20, 4 << 20)),
            (
                ((5 << 20) + 1, (4 << 20) + 1),
                (OUTPUT_BYTES_MAX, RESULT_BYTES_MAX),
            ),
        ] {
            assert_eq!(profile(configured.0, configured.1), held);
        }
        // Two streams and a value, six bytes of JSON for each of theirs, and the source twice: under 100 MiB.
        let most = 6 * (2 * OUTPUT_BYTES_MAX + RESULT_BYTES_MAX + 2 * (64 << 10));
        assert!(most < 100 << 20);
    }
}
