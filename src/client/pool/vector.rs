//! A fixed number of environments that are reset and stepped together, for trainers.

use super::super::{Error, Reason, ResetOptions, StepOptions};
use super::{Pool, PooledEnv, bulk};
use crate::proto::v1;

/// How a [`VectorEnv`] behaves. Start from [`VectorOptions::default`].
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct VectorOptions {
    /// Whether an episode that is lost ([`done`](VectorStep::done)) is replaced by a fresh one in the same call. That is told in
    /// [`VectorStep::reset`]. Default false.
    pub autoreset: bool,
    /// Of each reset.
    pub reset: ResetOptions,
}

/// What became of one environment in a step of all.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct VectorStep {
    /// What the step replied; none when it failed, or there was no action.
    pub result: Option<v1::StepResponse>,
    /// Why there is no result: that the server is gone, say. What the code does is no error.
    pub error: Option<Error>,
    /// With `autoreset`, when the episode was lost in this step or before it: the fresh one that has taken its place, which knows nothing of
    /// the one before; or the error, when none could be had. None when the episode goes on.
    pub reset: Option<Result<v1::ResetResponse, Error>>,
}

impl VectorStep {
    /// What the step showed.
    #[must_use]
    pub fn observation(&self) -> Option<&v1::CodeObservation> {
        self.result.as_ref()?.observation.as_ref()
    }

    /// The reward that the server's transforms gave.
    #[must_use]
    pub fn reward(&self) -> Option<f64> {
        self.result.as_ref()?.reward
    }

    /// Whether the episode that was stepped can't go on.
    #[must_use]
    pub fn done(&self) -> bool {
        match &self.error {
            Some(error) => is_gone(error),
            None => self.result.as_ref().is_some_and(|result| result.done),
        }
    }
}

/// Whether an episode can't go on after this: it was closed, expired, lost, or its server is gone.
fn is_gone(error: &Error) -> bool {
    matches!(
        error.reason(),
        Some(
            Reason::EpisodeNotFound
                | Reason::EpisodeClosed
                | Reason::EpisodeExpired
                | Reason::EpisodeServerGone
                | Reason::EpisodeLost
                | Reason::EpisodeEnded
        )
    )
}

/// So many environments of a [`Pool`], which are reset and stepped together.
///
/// ```no_run
/// # async fn example() -> Result<(), coding_env::client::Error> {
/// use coding_env::client::Pool;
/// use coding_env::client::pool::{VectorEnv, VectorOptions};
///
/// let pool = Pool::connect("dns:///coding-env-headless.coding-env.svc:8000").await?;
/// let mut options = VectorOptions::default();
/// options.autoreset = true;
/// let envs = VectorEnv::new(&pool, 64, options);
/// envs.reset_with((0..64).map(Some)).await?; // a seed for each
/// let steps = envs.step(vec![Some("x = 1"); 64]).await?;
/// let rewards: Vec<_> = steps.iter().map(|step| step.reward()).collect();
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct VectorEnv {
    pool: Pool,
    envs: Vec<PooledEnv>,
    options: VectorOptions,
}

impl VectorEnv {
    /// So many environments without an episode: [`reset`](Self::reset) starts them.
    #[must_use]
    pub fn new(pool: &Pool, count: usize, options: VectorOptions) -> Self {
        Self {
            pool: pool.clone(),
            envs: (0..count).map(|_| pool.env()).collect(),
            options,
        }
    }

    /// Its environments, in order.
    #[must_use]
    pub fn envs(&self) -> &[PooledEnv] {
        &self.envs
    }

    /// Starts a fresh episode in each. Where one fails, its error is in its place.
    pub async fn reset(&self) -> Vec<Result<v1::ResetResponse, Error>> {
        let seed = self.options.reset.seed;
        let all = (0..self.envs.len()).map(|at| (at, seed));
        self.reset_some(all).await
    }

    /// Starts a fresh episode in each, with a seed of its own.
    ///
    /// # Errors
    /// [`Error::Local`] when there are more or fewer seeds than environments. What becomes of one is told in its place.
    pub async fn reset_with(
        &self,
        seeds: impl IntoIterator<Item = Option<u64>>,
    ) -> Result<Vec<Result<v1::ResetResponse, Error>>, Error> {
        let seeds: Vec<Option<u64>> = seeds.into_iter().collect();
        self.check_count(seeds.len(), "seeds")?;
        Ok(self.reset_some(seeds.into_iter().enumerate()).await)
    }

    async fn reset_some(
        &self,
        chosen: impl Iterator<Item = (usize, Option<u64>)>,
    ) -> Vec<Result<v1::ResetResponse, Error>> {
        let chosen = chosen.filter_map(|(at, seed)| Some((self.envs.get(at).cloned()?, seed)));
        let groups = chosen.enumerate().map(|(at, call)| vec![(at, call)]);
        let options = self.options.reset.clone();
        let reset = move |(env, seed): (PooledEnv, Option<u64>)| {
            let mut options = options.clone();
            options.seed = seed;
            async move { env.reset_with(options).await }
        };
        bulk::run(&self.pool.shared.calls, groups.collect(), reset)
            .in_order()
            .await
    }

    /// Runs an action in each episode at once, or nothing where it is none.
    ///
    /// # Errors
    /// [`Error::Local`] when there are more or fewer actions than environments. What becomes of one is told in its place.
    pub async fn step<C: Into<String>>(
        &self,
        actions: impl IntoIterator<Item = Option<C>>,
    ) -> Result<Vec<VectorStep>, Error> {
        self.step_with(actions, StepOptions::default()).await
    }

    /// Runs an action in each episode at once, with options. As [`step`](Self::step).
    ///
    /// # Errors
    /// As [`step`](Self::step).
    pub async fn step_with<C: Into<String>>(
        &self,
        actions: impl IntoIterator<Item = Option<C>>,
        options: StepOptions,
    ) -> Result<Vec<VectorStep>, Error> {
        let actions: Vec<Option<C>> = actions.into_iter().collect();
        self.check_count(actions.len(), "actions")?;
        let mut steps = vec![VectorStep::default(); self.envs.len()];
        let (places, chosen): (Vec<_>, Vec<_>) = std::iter::zip(&mut steps, &self.envs)
            .zip(actions)
            .filter_map(|((step, env), action)| Some((step, (env, action?))))
            .unzip();
        let results = self.pool.step_many_with(chosen, options).await;
        for (step, result) in std::iter::zip(places, results) {
            match result {
                Ok(result) => step.result = Some(result),
                Err(error) => step.error = Some(error),
            }
        }
        if self.options.autoreset {
            self.replace_lost(&mut steps).await;
        }
        Ok(steps)
    }

    async fn replace_lost(&self, steps: &mut [VectorStep]) {
        let seed = self.options.reset.seed;
        let lost = |(at, step): (usize, &VectorStep)| step.done().then_some((at, seed));
        let lost: Vec<_> = steps.iter().enumerate().filter_map(lost).collect();
        let resets = self.reset_some(lost.iter().copied()).await;
        for ((at, _), reset) in lost.into_iter().zip(resets) {
            if let Some(step) = steps.get_mut(at) {
                step.reset = Some(reset);
            }
        }
    }

    /// Ends all episodes, as far as that can be done now. The pool goes on. The results are in order.
    pub async fn close(&self) -> Vec<Result<(), Error>> {
        self.pool.close_many(&self.envs).await
    }

    fn check_count(&self, count: usize, what: &str) -> Result<(), Error> {
        let expected = self.envs.len();
        if count == expected {
            return Ok(());
        }
        Err(Error::Local(format!(
            "{count} {what} for {expected} environments: give one for each"
        )))
    }
}
