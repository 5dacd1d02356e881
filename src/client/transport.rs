//! How a client's requests reach its server: each as a call of its own, on a connection that many share; in a pool, resets and steps over a
//! session where the server takes one.
//!
//! Whatever carries them stands behind these methods; retries, ids and indexes are above.

use std::sync::Arc;

use tokio_stream::Stream;
use tonic::transport::Channel;
use tonic::{Request, Response, Status, Streaming};

use super::lane::Lane;
use crate::proto::v1;
use crate::proto::v1::coding_env_client::CodingEnvClient;

/// The largest reply that this client decodes; a server sends less unless a step asks for more.
pub(super) const REPLY_BYTES_MAX: usize = 64 << 20;

/// Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Transport {
    rpcs: CodingEnvClient<Channel>,
    /// In a pool: what carries resets and steps.
    lane: Option<Arc<Lane>>,
}

type Reply<T> = Result<Response<T>, Status>;

impl Transport {
    pub(super) fn unary(channel: Channel) -> Self {
        Self {
            rpcs: CodingEnvClient::new(channel).max_decoding_message_size(REPLY_BYTES_MAX),
            lane: None,
        }
    }

    /// The same, with resets and steps over a lane.
    pub(super) fn over(&self, lane: Option<Arc<Lane>>) -> Self {
        Self {
            rpcs: self.rpcs.clone(),
            lane,
        }
    }

    pub(super) async fn reset(
        self,
        request: Request<v1::ResetRequest>,
    ) -> Reply<v1::ResetResponse> {
        if let Some(lane) = &self.lane
            && let Some(reply) = lane.reset(request.get_ref()).await
        {
            return reply;
        }
        self.reset_at_once(request).await
    }

    /// A Reset that does not wait for a step of the episode before it.
    pub(super) async fn reset_at_once(
        mut self,
        request: Request<v1::ResetRequest>,
    ) -> Reply<v1::ResetResponse> {
        self.rpcs.reset(request).await
    }

    pub(super) async fn step(
        mut self,
        request: Request<v1::StepRequest>,
    ) -> Reply<v1::StepResponse> {
        if let Some(lane) = &self.lane
            && let Some(reply) = lane.step(request.get_ref()).await
        {
            return reply;
        }
        self.rpcs.step(request).await
    }

    pub(super) async fn step_stream(
        mut self,
        request: Request<v1::StepStreamRequest>,
    ) -> Reply<Streaming<v1::StepStreamResponse>> {
        self.rpcs.step_stream(request).await
    }

    pub(super) async fn write_files(
        mut self,
        request: Request<impl Stream<Item = v1::WriteFilesRequest> + Send + 'static>,
    ) -> Reply<v1::WriteFilesResponse> {
        self.rpcs.write_files(request).await
    }

    pub(super) async fn read_files(
        mut self,
        request: Request<v1::ReadFilesRequest>,
    ) -> Reply<Streaming<v1::ReadFilesResponse>> {
        self.rpcs.read_files(request).await
    }

    pub(super) async fn list_files(
        mut self,
        request: Request<v1::ListFilesRequest>,
    ) -> Reply<Streaming<v1::ListFilesResponse>> {
        self.rpcs.list_files(request).await
    }

    pub(super) async fn delete_files(
        mut self,
        request: Request<v1::DeleteFilesRequest>,
    ) -> Reply<v1::DeleteFilesResponse> {
        self.rpcs.delete_files(request).await
    }

    pub(super) async fn fork(
        mut self,
        request: Request<v1::ForkRequest>,
    ) -> Reply<v1::ForkResponse> {
        self.rpcs.fork(request).await
    }

    pub(super) async fn checkpoint(
        mut self,
        request: Request<v1::CheckpointRequest>,
    ) -> Reply<v1::CheckpointResponse> {
        self.rpcs.checkpoint(request).await
    }

    pub(super) async fn rollback(
        mut self,
        request: Request<v1::RollbackRequest>,
    ) -> Reply<v1::RollbackResponse> {
        self.rpcs.rollback(request).await
    }

    pub(super) async fn list_checkpoints(
        mut self,
        request: Request<v1::ListCheckpointsRequest>,
    ) -> Reply<v1::ListCheckpointsResponse> {
        self.rpcs.list_checkpoints(request).await
    }

    pub(super) async fn drop_checkpoint(
        mut self,
        request: Request<v1::DropCheckpointRequest>,
    ) -> Reply<v1::DropCheckpointResponse> {
        self.rpcs.drop_checkpoint(request).await
    }

    pub(super) async fn evaluate(
        mut self,
        request: Request<v1::EvaluateRequest>,
    ) -> Reply<v1::EvaluateResponse> {
        self.rpcs.evaluate(request).await
    }

    pub(super) async fn get_state(
        mut self,
        request: Request<v1::GetStateRequest>,
    ) -> Reply<v1::GetStateResponse> {
        self.rpcs.get_state(request).await
    }

    pub(super) async fn interrupt(
        mut self,
        request: Request<v1::InterruptRequest>,
    ) -> Reply<v1::InterruptResponse> {
        self.rpcs.interrupt(request).await
    }

    /// A Close that comes after a Reset of the same episode which nobody waits for any more, and does not pass it.
    pub(super) async fn close_in_order(
        self,
        request: Request<v1::CloseRequest>,
    ) -> Reply<v1::CloseResponse> {
        if let Some(lane) = &self.lane
            && let Some(reply) = lane.close(request.get_ref()).await
        {
            return reply;
        }
        self.close(request).await
    }

    pub(super) async fn close(
        mut self,
        request: Request<v1::CloseRequest>,
    ) -> Reply<v1::CloseResponse> {
        self.rpcs.close(request).await
    }

    pub(super) async fn get_server_info(
        mut self,
        request: Request<v1::GetServerInfoRequest>,
    ) -> Reply<v1::GetServerInfoResponse> {
        self.rpcs.get_server_info(request).await
    }
}
