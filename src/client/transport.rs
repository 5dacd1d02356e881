//! How a client's requests reach its server: each as a call of its own, on a connection that many share.
//!
//! Whatever else is to carry them one day stands behind these methods; retries, ids and indexes are above.

use tokio_stream::Stream;
use tonic::transport::Channel;
use tonic::{Request, Response, Status, Streaming};

use crate::proto::v1;
use crate::proto::v1::coding_env_client::CodingEnvClient;

/// The largest reply that this client decodes; a server sends less unless a step asks for more.
pub(super) const REPLY_BYTES_MAX: usize = 64 << 20;

/// Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Transport {
    rpcs: CodingEnvClient<Channel>,
}

type Reply<T> = Result<Response<T>, Status>;

impl Transport {
    pub(super) fn unary(channel: Channel) -> Self {
        Self {
            rpcs: CodingEnvClient::new(channel).max_decoding_message_size(REPLY_BYTES_MAX),
        }
    }

    pub(super) async fn reset(
        mut self,
        request: Request<v1::ResetRequest>,
    ) -> Reply<v1::ResetResponse> {
        self.rpcs.reset(request).await
    }

    pub(super) async fn step(
        mut self,
        request: Request<v1::StepRequest>,
    ) -> Reply<v1::StepResponse> {
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
