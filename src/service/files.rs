//! The RPCs that move files.

use std::pin::Pin;
use std::time::Instant;

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt as _};
use tonic::{Request, Status, Streaming};

use super::{Service, caller_wait, count_refusal, episode_key, within};
use crate::convert;
use crate::convert::files;
use crate::episode::{FilesError, Part, Refusal};
use crate::proto::v1;

/// A reply of many messages.
pub(super) type Replies<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

impl Service {
    pub(super) async fn on_write_files(
        &self,
        request: Request<Streaming<v1::WriteFilesRequest>>,
    ) -> Result<v1::WriteFilesResponse, Status> {
        let wait = caller_wait(request.metadata());
        let (metadata, extensions, mut messages) = request.into_parts();
        let deadline = wait.map(|wait| Instant::now() + wait);
        // Its episode is not known yet, so nothing else bounds the wait.
        let stall = self.0.config.files.stall_timeout;
        let stalls = wait.is_none_or(|wait| wait > stall);
        let first = within(Some(wait.unwrap_or(stall).min(stall)), async {
            Ok(messages.message().await)
        });
        let first = first.await.map_err(|refusal| match refusal {
            Refusal::Deadline if stalls => Refusal::FilesStalled { waited: stall },
            other => other,
        });
        let v1::WriteFilesRequest {
            episode_id,
            chunks,
            sha256,
        } = first??.unwrap_or_default();
        self.check_server(&metadata, &episode_id)?;
        convert::episode_id(&episode_id)?;
        let mut next = Some(files::new_chunks(chunks)?);
        let key = episode_key(&extensions, episode_id)?;
        let call = within(wait, self.0.episodes.files(&key, deadline)).await?;
        let writing = call.write(sha256);
        while let Some(chunks) = next {
            if !writing.push(chunks).await {
                break;
            }
            next = match writing.call().wait(messages.message()).await?? {
                Some(message) => {
                    let v1::WriteFilesRequest {
                        episode_id,
                        chunks,
                        sha256: _,
                    } = message;
                    if !episode_id.is_empty() && episode_id != key.id {
                        return Err(files::other_episode());
                    }
                    Some(files::new_chunks(chunks)?)
                }
                None => None,
            };
        }
        match writing.finish().await {
            Ok(written) => Ok(files::write_response(written, &self.0.config.server_id)),
            Err(FilesError::Refused(refusal)) => Err(refusal.into()),
            Err(FilesError::Bad(bad, written)) => Err(files::bad_chunk(&bad, written)),
        }
    }

    pub(super) async fn on_read_files(
        &self,
        request: Request<v1::ReadFilesRequest>,
    ) -> Result<Replies<v1::ReadFilesResponse>, Status> {
        let wait = caller_wait(request.metadata());
        let (metadata, extensions, mut request) = request.into_parts();
        let key = episode_key(&extensions, std::mem::take(&mut request.episode_id))?;
        self.check_server(&metadata, &key.id)?;
        let reading = files::reading(&key.id, request)?;
        let deadline = wait.map(|wait| Instant::now() + wait);
        let call = within(wait, self.0.episodes.files(&key, deadline)).await?;
        Ok(self.replies(call.read(reading), |part| match part {
            Part::Some(pieces) => v1::ReadFilesResponse {
                chunks: pieces.into_iter().map(files::chunk_message).collect(),
                summary: None,
            },
            Part::Last(summary) => v1::ReadFilesResponse {
                chunks: Vec::new(),
                summary: Some(files::summary_message(summary)),
            },
        }))
    }

    pub(super) async fn on_list_files(
        &self,
        request: Request<v1::ListFilesRequest>,
    ) -> Result<Replies<v1::ListFilesResponse>, Status> {
        let wait = caller_wait(request.metadata());
        let (metadata, extensions, mut request) = request.into_parts();
        let key = episode_key(&extensions, std::mem::take(&mut request.episode_id))?;
        self.check_server(&metadata, &key.id)?;
        let listing = files::listing(&key.id, request)?;
        let deadline = wait.map(|wait| Instant::now() + wait);
        let call = within(wait, self.0.episodes.files(&key, deadline)).await?;
        Ok(self.replies(call.list(listing), |part| match part {
            Part::Some(found) => v1::ListFilesResponse {
                files: found.into_iter().map(files::info_message).collect(),
                summary: None,
            },
            Part::Last(summary) => v1::ListFilesResponse {
                files: Vec::new(),
                summary: Some(files::summary_message(summary)),
            },
        }))
    }

    pub(super) async fn on_delete_files(
        &self,
        request: Request<v1::DeleteFilesRequest>,
    ) -> Result<v1::DeleteFilesResponse, Status> {
        let wait = caller_wait(request.metadata());
        let (metadata, extensions, mut request) = request.into_parts();
        let key = episode_key(&extensions, std::mem::take(&mut request.episode_id))?;
        self.check_server(&metadata, &key.id)?;
        let (selectors, recursive) = files::deletion(&key.id, request)?;
        let deadline = wait.map(|wait| Instant::now() + wait);
        let call = within(wait, self.0.episodes.files(&key, deadline)).await?;
        let summary = call.delete(selectors, recursive).await?;
        Ok(files::delete_response(summary, &self.0.config.server_id))
    }

    /// Replies as they are found. A refusal is the last.
    fn replies<T, M>(
        &self,
        parts: mpsc::Receiver<Result<Part<T>, Refusal>>,
        message: impl Fn(Part<T>) -> M + Send + 'static,
    ) -> Replies<M>
    where
        T: Send + 'static,
        M: 'static,
    {
        let refusals = self.refusals();
        Box::pin(ReceiverStream::new(parts).map(move |part| {
            part.map(&message).map_err(|refusal| {
                let status = Status::from(refusal);
                count_refusal(&refusals, &status);
                status
            })
        }))
    }
}
