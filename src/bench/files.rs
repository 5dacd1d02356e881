//! How fast files move, against a stream of the same messages that a server throws away (or makes up), and how many small ones.

use std::convert::Infallible;
use std::future::Future;
use std::net::TcpListener;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use tokio::sync::oneshot;
use tokio_stream::Stream;
use tonic::server::{ClientStreamingService, Grpc, NamedService, ServerStreamingService};
use tonic::transport::Channel;
use tonic::{Request, Response, Status, Streaming};
use tonic_prost::ProstCodec;

use crate::client::{Options, endpoint};
use crate::proto::v1::coding_env_client::CodingEnvClient;
use crate::proto::v1::file_selector::Selector;
use crate::proto::v1::{
    DeleteFilesRequest, FileChunk, FileEnd, FileInfo, FileSelector, ReadFilesRequest,
    ReadFilesResponse, WriteFilesRequest, WriteFilesResponse,
};

/// The data of a message, both ways: what the server sends.
const PIECE_BYTES: usize = 256 << 10;
/// Small files: how large, and how many of them in a message.
const SMALL_BYTES: usize = 1024;
const SMALL_PER_MESSAGE: usize = 200;

/// Files of 1 B, 2 B, 4 B, … whose sizes add up to one byte less than this, the largest of them half of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes(pub(super) u64);

impl Sizes {
    fn each(self) -> impl Iterator<Item = u64> {
        let half = self.0 / 2;
        std::iter::successors(Some(1_u64), |size| Some(size * 2))
            .take_while(move |size| *size <= half)
    }

    fn sum(self) -> u64 {
        self.each().sum()
    }
}

/// One end of the streams: a server, or what throws them away.
#[derive(Debug, Clone)]
pub(super) struct Peer {
    client: CodingEnvClient<Channel>,
    episode: String,
}

fn file(path: String) -> FileInfo {
    FileInfo {
        path,
        ..FileInfo::default()
    }
}

impl Peer {
    pub(super) async fn connect(url: &str, episode: &str) -> anyhow::Result<Self> {
        let channel = endpoint(url, &Options::default())?.connect().await?;
        Ok(Self {
            client: CodingEnvClient::new(channel).max_decoding_message_size(64 << 20),
            episode: episode.to_owned(),
        })
    }

    /// The messages of the files, one after the other.
    fn messages(&self, sizes: Sizes) -> impl Iterator<Item = WriteFilesRequest> + Send + 'static {
        let episode = self.episode.clone();
        let piece = Bytes::from(vec![b'x'; PIECE_BYTES]);
        sizes.each().enumerate().flat_map(move |(number, size)| {
            let (episode, piece) = (episode.clone(), piece.clone());
            let step = PIECE_BYTES as u64;
            (0..size.div_ceil(step)).map(move |at| {
                let left = size - at * step;
                let bytes = usize::try_from(left.min(step)).unwrap_or(PIECE_BYTES);
                let chunk = FileChunk {
                    file: (at == 0).then(|| file(format!("large/{number}"))),
                    data: piece.slice(..bytes),
                    end: (left <= step).then(FileEnd::default),
                };
                WriteFilesRequest {
                    episode_id: episode.clone(),
                    chunks: vec![chunk],
                    sha256: false,
                }
            })
        })
    }

    /// Sends the files. Returns the time that it took.
    pub(super) async fn upload(&mut self, sizes: Sizes) -> anyhow::Result<Duration> {
        let messages = tokio_stream::iter(self.messages(sizes));
        let begun = Instant::now();
        let reply = self.client.write_files(messages).await?.into_inner();
        let took = begun.elapsed();
        ensure!(
            reply.failed == 0 && reply.bytes == sizes.sum(),
            "not all was written: {reply:?}"
        );
        Ok(took)
    }

    /// Takes them back. Returns the time that it took.
    pub(super) async fn download(&mut self, sizes: Sizes) -> anyhow::Result<Duration> {
        self.take("large/*", sizes.sum()).await
    }

    async fn take(&mut self, glob: &str, expected: u64) -> anyhow::Result<Duration> {
        let request = ReadFilesRequest {
            episode_id: self.episode.clone(),
            files: vec![selector(glob)],
            sha256: false,
            max_file_bytes: Some(expected),
            directories: false,
        };
        let begun = Instant::now();
        let mut replies = self.client.read_files(request).await?.into_inner();
        let mut bytes = 0;
        while let Some(reply) = replies.message().await? {
            let data = reply.chunks.iter().map(|chunk| chunk.data.len() as u64);
            bytes += data.sum::<u64>();
        }
        ensure!(bytes == expected, "{bytes} of {expected} bytes came");
        Ok(begun.elapsed())
    }

    /// Sends small files, and takes them back. Returns the times.
    pub(super) async fn small(&mut self, count: usize) -> anyhow::Result<(Duration, Duration)> {
        let data = Bytes::from(vec![b'x'; SMALL_BYTES]);
        let episode = self.episode.clone();
        let messages = (0..count.div_ceil(SMALL_PER_MESSAGE)).map(move |message| {
            let from = message * SMALL_PER_MESSAGE;
            let chunks = (from..count.min(from + SMALL_PER_MESSAGE)).map(|number| FileChunk {
                file: Some(file(format!("small/{}/{number}", number % 100))),
                data: data.clone(),
                end: Some(FileEnd::default()),
            });
            WriteFilesRequest {
                episode_id: episode.clone(),
                chunks: chunks.collect(),
                sha256: false,
            }
        });
        let begun = Instant::now();
        let reply = self
            .client
            .write_files(tokio_stream::iter(messages))
            .await?;
        let up = begun.elapsed();
        let written = usize::try_from(reply.into_inner().written).unwrap_or(0);
        ensure!(written == count, "{written} of {count} files were written");
        let down = self.take("small/**", (count * SMALL_BYTES) as u64).await?;
        Ok((up, down))
    }

    /// Deletes all.
    pub(super) async fn clear(&mut self) -> anyhow::Result<()> {
        let request = DeleteFilesRequest {
            episode_id: self.episode.clone(),
            files: vec![selector("*")],
            recursive: true,
        };
        self.client.delete_files(request).await?;
        Ok(())
    }
}

fn selector(glob: &str) -> FileSelector {
    FileSelector {
        selector: Some(Selector::Glob(glob.to_owned())),
    }
}

/// The most memory that a process has had resident since [`lower_peak`], in bytes: VmHWM, proc(5).
pub(super) fn peak_memory(pid: u32) -> anyhow::Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next());
    Ok(kib.context("no VmHWM")?.parse::<f64>()? * 1024.0)
}

/// Lowers that to what is resident now.
pub(super) fn lower_peak(pid: u32) -> anyhow::Result<()> {
    Ok(std::fs::write(format!("/proc/{pid}/clear_refs"), "5")?)
}

/// A server on a thread and a runtime of its own, as the measured one has, that does nothing with what it gets and gives what it is asked for.
#[derive(Debug)]
pub(super) struct Sink {
    pub(super) url: String,
    _stop: oneshot::Sender<()>,
}

impl Sink {
    pub(super) fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let url = format!("http://{}", listener.local_addr()?);
        let (stop, stopped) = oneshot::channel();
        std::thread::Builder::new()
            .name("bench-sink".to_owned())
            .spawn(move || serve(listener, stopped))?;
        Ok(Self { url, _stop: stop })
    }
}

fn serve(listener: TcpListener, stopped: oneshot::Receiver<()>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let incoming =
            tonic::transport::server::TcpIncoming::from(listener).with_nodelay(Some(true));
        let stopped = async { drop(stopped.await) };
        tonic::transport::Server::builder()
            .initial_stream_window_size(Some(1 << 20))
            .initial_connection_window_size(Some(16 << 20))
            .add_service(Nothing)
            .serve_with_incoming_shutdown(incoming, stopped)
            .await?;
        Ok(())
    })
}

/// The service behind [`Sink`].
#[derive(Debug, Clone)]
struct Nothing;

type Answer<T> = Pin<Box<dyn Future<Output = T> + Send>>;

impl NamedService for Nothing {
    const NAME: &'static str = "coding_env.v1.CodingEnv";
}

impl tower_service::Service<http::Request<tonic::body::Body>> for Nothing {
    type Response = http::Response<tonic::body::Body>;
    type Error = Infallible;
    type Future = Answer<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<tonic::body::Body>) -> Self::Future {
        Box::pin(async move {
            if request.uri().path().ends_with("/WriteFiles") {
                let codec = ProstCodec::<WriteFilesResponse, WriteFilesRequest>::default();
                Ok(Grpc::new(codec).client_streaming(Nothing, request).await)
            } else {
                let codec = ProstCodec::<ReadFilesResponse, ReadFilesRequest>::default();
                Ok(Grpc::new(codec).server_streaming(Nothing, request).await)
            }
        })
    }
}

impl ClientStreamingService<WriteFilesRequest> for Nothing {
    type Response = WriteFilesResponse;
    type Future = Answer<Result<Response<WriteFilesResponse>, Status>>;

    fn call(&mut self, request: Request<Streaming<WriteFilesRequest>>) -> Self::Future {
        Box::pin(async move {
            let mut messages = request.into_inner();
            let mut reply = WriteFilesResponse::default();
            while let Some(message) = messages.message().await? {
                for chunk in message.chunks {
                    reply.bytes += chunk.data.len() as u64;
                }
            }
            Ok(Response::new(reply))
        })
    }
}

impl ServerStreamingService<ReadFilesRequest> for Nothing {
    type Response = ReadFilesResponse;
    type ResponseStream = Pin<Box<dyn Stream<Item = Result<ReadFilesResponse, Status>> + Send>>;
    type Future = Answer<Result<Response<Self::ResponseStream>, Status>>;

    fn call(&mut self, request: Request<ReadFilesRequest>) -> Self::Future {
        let left = request.into_inner().max_file_bytes.unwrap_or(0);
        let piece = Bytes::from(vec![b'x'; PIECE_BYTES]);
        let pieces = std::iter::successors(Some(left), |left| left.checked_sub(PIECE_BYTES as u64))
            .take_while(|left| *left > 0)
            .map(move |left| {
                let bytes = usize::try_from(left)
                    .unwrap_or(PIECE_BYTES)
                    .min(PIECE_BYTES);
                Ok(ReadFilesResponse {
                    chunks: vec![FileChunk {
                        file: None,
                        data: piece.slice(..bytes),
                        end: None,
                    }],
                    summary: None,
                })
            });
        let replies: Self::ResponseStream = Box::pin(tokio_stream::iter(pieces));
        Box::pin(std::future::ready(Ok(Response::new(replies))))
    }
}
