//! The RPCs that copy episodes.

use tonic::{Extensions, Request, Status};

use super::{Service, caller_wait, episode_key, within};
use crate::convert;
use crate::convert::fork::{self, Known};
use crate::episode::EpisodeKey;
use crate::proto::v1;

impl Service {
    /// What checking a request about an episode needs.
    fn known(&self, key: &EpisodeKey) -> Known {
        let config = &self.0.config;
        Known {
            forks: config.forks,
            limits: self.0.episodes.limits(key).unwrap_or(config.limits),
            bounds: self.0.bounds,
            step_timeout: config.step_timeout,
        }
    }

    /// The caller's episode, which has to be here.
    fn named(
        &self,
        metadata: &tonic::metadata::MetadataMap,
        extensions: &Extensions,
        id: String,
    ) -> Result<EpisodeKey, Status> {
        let key = episode_key(extensions, id)?;
        self.check_server(metadata, &key.id)?;
        Ok(key)
    }

    pub(crate) async fn on_fork(
        &self,
        request: Request<v1::ForkRequest>,
    ) -> Result<v1::ForkResponse, Status> {
        let wait = caller_wait(request.metadata());
        let (metadata, extensions, mut request) = request.into_parts();
        let id = std::mem::take(&mut request.episode_id);
        let key = self.named(&metadata, &extensions, id)?;
        let new = fork::new_fork(key.clone(), request, &self.known(&key))?;
        let forked = within(wait, self.0.episodes.fork(new)).await?;
        Ok(fork::fork_response(
            &key.id,
            forked,
            self.server_id(),
            self.0.bounds,
        ))
    }

    pub(crate) async fn on_checkpoint(
        &self,
        request: Request<v1::CheckpointRequest>,
    ) -> Result<v1::CheckpointResponse, Status> {
        let wait = caller_wait(request.metadata());
        let (metadata, extensions, request) = request.into_parts();
        let (id, new) = fork::new_checkpoint(request)?;
        let key = self.named(&metadata, &extensions, id)?;
        let made = within(wait, self.0.episodes.checkpoint(&key, new)).await?;
        Ok(fork::checkpoint_response(&key.id, made, self.server_id()))
    }

    pub(crate) async fn on_rollback(
        &self,
        request: Request<v1::RollbackRequest>,
    ) -> Result<v1::RollbackResponse, Status> {
        let wait = caller_wait(request.metadata());
        let (metadata, extensions, request) = request.into_parts();
        let new = fork::new_rollback(request)?;
        let key = self.named(&metadata, &extensions, new.episode_id)?;
        let episodes = &self.0.episodes;
        let rolling_back = episodes.roll_back(&key, new.name, new.random, new.index);
        let rolled_back = within(wait, rolling_back).await?;
        Ok(fork::rollback_response(
            &key.id,
            rolled_back,
            self.server_id(),
        ))
    }

    pub(crate) async fn on_list_checkpoints(
        &self,
        request: Request<v1::ListCheckpointsRequest>,
    ) -> Result<v1::ListCheckpointsResponse, Status> {
        let wait = caller_wait(request.metadata());
        let (metadata, extensions, v1::ListCheckpointsRequest { episode_id }) =
            request.into_parts();
        convert::episode_id(&episode_id)?;
        let key = self.named(&metadata, &extensions, episode_id)?;
        let checkpoints = within(wait, self.0.episodes.checkpoints(&key)).await?;
        let server_id = self.server_id();
        Ok(fork::list_checkpoints_response(checkpoints, server_id))
    }

    pub(crate) async fn on_drop_checkpoint(
        &self,
        request: Request<v1::DropCheckpointRequest>,
    ) -> Result<v1::DropCheckpointResponse, Status> {
        let (metadata, extensions, request) = request.into_parts();
        let v1::DropCheckpointRequest { episode_id, name } = request;
        fork::checkpoint_name(&episode_id, &name)?;
        let key = self.named(&metadata, &extensions, episode_id)?;
        Ok(v1::DropCheckpointResponse {
            dropped: self.0.episodes.drop_checkpoint(&key, &name)?,
            server_id: self.server_id().to_owned(),
        })
    }

    pub(crate) async fn on_evaluate(
        &self,
        request: Request<v1::EvaluateRequest>,
    ) -> Result<v1::EvaluateResponse, Status> {
        let wait = caller_wait(request.metadata());
        let (metadata, extensions, mut request) = request.into_parts();
        let id = std::mem::take(&mut request.episode_id);
        let key = self.named(&metadata, &extensions, id)?;
        let new = fork::new_evaluations(&key.id, request, &self.known(&key))?;
        let episodes = &self.0.episodes;
        let evaluating = episodes.evaluate(&key, new.evaluations, &new.random, new.index);
        // Boxed: it holds all that its steps need.
        let evaluated = within(wait, Box::pin(evaluating)).await?;
        Ok(fork::evaluate_response(
            &key.id,
            evaluated,
            new.reply_bytes,
            self.server_id(),
        ))
    }
}
