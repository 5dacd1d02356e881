//! Copies of an episode: children, checkpoints, and evaluations.

use super::transport::Transport;
use super::{CodingEnv, Episode, Error};
use crate::proto::v1;

/// Code for a step that reseeds the random generators which the program's names are bound to: `random.Random`, numpy's `Generator`, `BitGenerator` and
/// `RandomState`, `torch.Generator`. A fork copies these as they are, so that the children's would all give the same numbers. Each gets a state that follows from the seed and its name; those that
/// are only within other objects stay as they are. The step's result is the list of the names.
///
/// ```
/// let code = coding_env::client::reseed_code(7);
/// assert!(code.ends_with("_reseed_generators(7, dict(globals()))\n"));
/// ```
pub fn reseed_code(seed: u64) -> String {
    const RESEED: &str = include_str!("reseed.py");
    format!("{RESEED}\n_reseed_generators({seed}, dict(globals()))\n")
}

/// What a fork may ask for. Start from [`ForkOptions::default`].
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct ForkOptions {
    /// What the children's random state is. Default: each child's own.
    pub random: v1::RandomState,
    /// A seed for each child. Empty: `random` says.
    pub seeds: Vec<u64>,
    /// Lowers limits for the children.
    pub limits: Option<v1::Limits>,
}

impl CodingEnv {
    /// Copies the episode, in about the time of a `fork`: `count` environments that go on from its variables, modules and files, each an episode of its own. This
    /// one goes on too.
    ///
    /// # Errors
    /// [`Error::NoEpisode`] before a reset; [`Reason::ForkUnsupported`](super::Reason::ForkUnsupported) when the program has something that can't be copied;
    /// another refusal; a connection that stays broken until the deadline. All children are made, or none.
    pub async fn fork(&mut self, count: usize) -> Result<Vec<Self>, Error> {
        self.fork_with(count, ForkOptions::default()).await
    }

    /// Copies the episode with options.
    ///
    /// # Errors
    /// As [`fork`](Self::fork).
    pub async fn fork_with(
        &mut self,
        count: usize,
        options: ForkOptions,
    ) -> Result<Vec<Self>, Error> {
        let ForkOptions {
            random,
            seeds,
            limits,
        } = options;
        let episode = self.episode.clone().ok_or(Error::NoEpisode)?;
        let fresh = || uuid::Uuid::now_v7().to_string();
        let child_ids: Vec<String> = std::iter::repeat_with(fresh).take(count).collect();
        let child = |id: &String| Episode {
            id: id.clone(),
            ..episode.clone()
        };
        // Before the call, because this future may be dropped: what it made is ended with the next reset or close.
        self.unsure.extend(child_ids.iter().map(child));
        let request = v1::ForkRequest {
            episode_id: episode.id.clone(),
            count: 0,
            child_ids: child_ids.clone(),
            random: random.into(),
            seeds,
            limits,
            allow_partial: false,
            step_index: known_steps(&episode),
        };
        let deadline = self.options.deadline;
        let forking = self.call(Some(&episode), deadline, request, Transport::fork);
        let answer = forking.await;
        if !answer.unsure {
            self.unsure.retain(|left| !child_ids.contains(&left.id));
        }
        let response = answer.result?.into_inner();
        let children = response.children.into_iter().map(|child| {
            self.of_episode(Episode {
                id: child.episode_id,
                server: episode.server.clone(),
                steps: child.state.map_or(0, |state| state.step_count),
                unsure: false,
                may_move: false,
            })
        });
        Ok(children.collect())
    }

    /// Keeps a copy of the episode under a name, to [roll back](Self::rollback) to.
    ///
    /// # Errors
    /// As [`fork`](Self::fork); [`Reason::CheckpointExists`](super::Reason::CheckpointExists),
    /// [`Reason::CheckpointLimit`](super::Reason::CheckpointLimit).
    pub async fn checkpoint(
        &self,
        name: impl Into<String>,
    ) -> Result<v1::CheckpointResponse, Error> {
        self.checkpoint_with(name, v1::OnFull::Refuse).await
    }

    /// As [`checkpoint`](Self::checkpoint), and says what to do when there is no room for it.
    ///
    /// # Errors
    /// As [`checkpoint`](Self::checkpoint).
    pub async fn checkpoint_with(
        &self,
        name: impl Into<String>,
        on_full: v1::OnFull,
    ) -> Result<v1::CheckpointResponse, Error> {
        let episode = self.episode.clone().ok_or(Error::NoEpisode)?;
        let request = v1::CheckpointRequest {
            episode_id: episode.id.clone(),
            name: name.into(),
            on_full: on_full.into(),
            step_index: known_steps(&episode),
        };
        let deadline = self.options.deadline;
        let response = self.call(Some(&episode), deadline, request, Transport::checkpoint);
        Ok(response.await.result?.into_inner())
    }

    /// Puts the episode back to a checkpoint, which stays. It also brings an episode back whose interpreter was lost.
    ///
    /// # Errors
    /// As [`fork`](Self::fork); [`Reason::CheckpointNotFound`](super::Reason::CheckpointNotFound).
    pub async fn rollback(&self, name: impl Into<String>) -> Result<v1::RollbackResponse, Error> {
        let episode = self.episode.clone().ok_or(Error::NoEpisode)?;
        let request = v1::RollbackRequest {
            episode_id: episode.id.clone(),
            name: name.into(),
            step_index: known_steps(&episode),
            random: v1::RandomState::Inherit.into(),
        };
        let deadline = self.options.deadline;
        let response = self.call(Some(&episode), deadline, request, Transport::rollback);
        Ok(response.await.result?.into_inner())
    }

    /// The episode's checkpoints, the oldest first.
    ///
    /// # Errors
    /// [`Error::NoEpisode`] before a reset; a refusal; a connection that stays broken until the deadline.
    pub async fn checkpoints(&self) -> Result<Vec<v1::CheckpointInfo>, Error> {
        let episode = self.episode.clone().ok_or(Error::NoEpisode)?;
        let request = v1::ListCheckpointsRequest {
            episode_id: episode.id.clone(),
        };
        let deadline = self.options.deadline;
        let listing = self.call(
            Some(&episode),
            deadline,
            request,
            Transport::list_checkpoints,
        );
        Ok(listing.await.result?.into_inner().checkpoints)
    }

    /// Drops a checkpoint. False when there was none of this name.
    ///
    /// # Errors
    /// As [`checkpoints`](Self::checkpoints).
    pub async fn drop_checkpoint(&self, name: impl Into<String>) -> Result<bool, Error> {
        let episode = self.episode.clone().ok_or(Error::NoEpisode)?;
        let request = v1::DropCheckpointRequest {
            episode_id: episode.id.clone(),
            name: name.into(),
        };
        let deadline = self.options.deadline;
        let dropping = self.call(
            Some(&episode),
            deadline,
            request,
            Transport::drop_checkpoint,
        );
        Ok(dropping.await.result?.into_inner().dropped)
    }

    /// Runs code in a throw-away copy of the episode, and has the server judge it. The episode sees nothing of it.
    ///
    /// # Errors
    /// As [`fork`](Self::fork). What the code does is not an error: see [`EvaluationResult`](v1::EvaluationResult).
    pub async fn evaluate(
        &self,
        evaluation: v1::Evaluation,
    ) -> Result<v1::EvaluationResult, Error> {
        let response = self.evaluate_all(vec![evaluation]).await?;
        let first = response.results.into_iter().next();
        first.ok_or_else(|| Error::Connect("the reply has no result".to_owned()))
    }

    /// Runs evaluations side by side, each in a copy of its own.
    ///
    /// # Errors
    /// As [`evaluate`](Self::evaluate).
    pub async fn evaluate_all(
        &self,
        evaluations: Vec<v1::Evaluation>,
    ) -> Result<v1::EvaluateResponse, Error> {
        let episode = self.episode.clone().ok_or(Error::NoEpisode)?;
        let request = v1::EvaluateRequest {
            episode_id: episode.id.clone(),
            evaluations,
            random: v1::RandomState::Inherit.into(),
            step_index: known_steps(&episode),
            max_reply_bytes: None,
        };
        let deadline = self.options.deadline;
        let response = self.call(Some(&episode), deadline, request, Transport::evaluate);
        Ok(response.await.result?.into_inner())
    }
}

/// How many steps have run, if that is sure.
fn known_steps(episode: &Episode) -> Option<u32> {
    (!episode.unsure).then_some(episode.steps)
}

impl v1::Evaluation {
    /// Code to run in a throw-away copy.
    #[must_use]
    pub fn of(code: impl Into<String>) -> Self {
        Self {
            action: Some(v1::CodeAction { code: code.into() }),
            ..Self::default()
        }
    }

    /// Checks that the code prints this, but for white space at the ends of lines.
    #[must_use]
    pub fn prints(self, expected: impl Into<String>) -> Self {
        self.with(v1::check::Check::Stdout(v1::StdoutCheck {
            expected: expected.into(),
            ..v1::StdoutCheck::default()
        }))
    }

    /// Checks that a function returns what it is to return: arguments as a JSON array, and the value as JSON.
    #[must_use]
    pub fn returns<'a>(
        self,
        function: impl Into<String>,
        calls: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let call = |(args, expected): (&str, &str)| v1::Call {
            args_json: args.to_owned(),
            expected_json: expected.to_owned(),
            ..v1::Call::default()
        };
        self.with(v1::check::Check::Calls(v1::CallCheck {
            function: function.into(),
            calls: calls.into_iter().map(call).collect(),
        }))
    }

    /// Runs a file of tests. What passes is a claim of the program: [`claimed_score`](v1::EvaluationResult).
    #[must_use]
    pub fn tests(self, source: impl Into<String>) -> Self {
        self.with(v1::check::Check::Tests(v1::TestCheck {
            source: source.into(),
        }))
    }

    /// Adds a check.
    #[must_use]
    pub fn with(mut self, check: v1::check::Check) -> Self {
        self.checks.push(v1::Check {
            check: Some(check),
            weight: None,
        });
        self
    }
}

impl v1::EvaluationResult {
    /// What the code printed.
    #[must_use]
    pub fn stdout(&self) -> &str {
        let observation = self.observation.as_ref();
        observation.map_or("", |observation| &observation.stdout)
    }
}
