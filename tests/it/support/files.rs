//! The calls that move files, over the generated client: what a test sends is what it says, right or wrong.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use coding_env::proto::v1;
use coding_env::proto::v1::coding_env_client::CodingEnvClient;
use coding_env::proto::v1::file_selector::Selector;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::PATIENCE;

/// The files of one episode.
#[derive(Clone)]
pub(crate) struct Files {
    pub(crate) client: CodingEnvClient<Channel>,
    pub(crate) episode: String,
}

/// What a read gave: the content by path (with U+FFFD where it is not UTF-8), and the summary.
#[derive(Debug, Default)]
pub(crate) struct Read {
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    pub(crate) infos: Vec<v1::FileInfo>,
    pub(crate) ends: Vec<v1::FileEnd>,
    pub(crate) summary: v1::FilesSummary,
}

/// The path of something, whatever its bytes are.
pub(crate) fn shown(path: &str, raw: &[u8]) -> String {
    if raw.is_empty() {
        path.to_owned()
    } else {
        String::from_utf8_lossy(raw).into_owned()
    }
}

pub(crate) fn path(path: &str) -> v1::FileSelector {
    v1::FileSelector {
        selector: Some(Selector::Path(path.to_owned())),
    }
}

pub(crate) fn glob(glob: &str) -> v1::FileSelector {
    v1::FileSelector {
        selector: Some(Selector::Glob(glob.to_owned())),
    }
}

/// A whole small file in one chunk.
pub(crate) fn file(path: &str, data: impl Into<Vec<u8>>) -> v1::FileChunk {
    v1::FileChunk {
        file: Some(v1::FileInfo {
            path: path.to_owned(),
            ..v1::FileInfo::default()
        }),
        data: data.into().into(),
        end: Some(v1::FileEnd::default()),
    }
}

/// The kinds of failures by path.
pub(crate) fn failures(failures: &[v1::FileFailure]) -> Vec<(String, v1::FileErrorKind)> {
    let kind = |failure: &v1::FileFailure| {
        let error = failure.error.as_ref().unwrap();
        assert!(!error.message.is_empty());
        (shown(&failure.path, &failure.raw_path), error.kind())
    };
    let mut found: Vec<_> = failures.iter().map(kind).collect();
    found.sort();
    found
}

/// The reason of a refusal.
pub(crate) fn reason(status: &Status) -> String {
    let details = status.get_error_details();
    let info = details.error_info();
    info.map_or_else(|| format!("{status:?}"), |info| info.reason.clone())
}

/// The fields that an INVALID_FIELD names.
pub(crate) fn fields(status: &Status) -> Vec<String> {
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    let details = status.get_error_details();
    let request = details.bad_request().unwrap();
    let fields = request.field_violations.iter();
    fields.map(|violation| violation.field.clone()).collect()
}

impl Files {
    pub(crate) fn of(client: CodingEnvClient<Channel>, episode: &str) -> Self {
        Self {
            client,
            episode: episode.to_owned(),
        }
    }

    /// Of a typed client's episode.
    pub(crate) fn over(channel: Channel, episode: Option<&str>) -> Self {
        let client = CodingEnvClient::new(channel).max_decoding_message_size(64 << 20);
        Self::of(client, episode.unwrap())
    }

    pub(crate) fn message(&self, chunks: Vec<v1::FileChunk>) -> v1::WriteFilesRequest {
        v1::WriteFilesRequest {
            episode_id: self.episode.clone(),
            chunks,
            sha256: false,
        }
    }

    /// Sends these chunks in one message.
    pub(crate) async fn write(
        &mut self,
        chunks: Vec<v1::FileChunk>,
    ) -> Result<v1::WriteFilesResponse, Status> {
        let message = self.message(chunks);
        self.send(vec![message]).await
    }

    pub(crate) async fn send(
        &mut self,
        messages: Vec<v1::WriteFilesRequest>,
    ) -> Result<v1::WriteFilesResponse, Status> {
        let messages = tokio_stream::iter(messages);
        self.client
            .write_files(messages)
            .await
            .map(tonic::Response::into_inner)
    }

    pub(crate) fn asking(&self, files: Vec<v1::FileSelector>) -> v1::ReadFilesRequest {
        v1::ReadFilesRequest {
            episode_id: self.episode.clone(),
            files,
            sha256: false,
            max_file_bytes: None,
            directories: false,
        }
    }

    pub(crate) async fn read(&mut self, files: Vec<v1::FileSelector>) -> Result<Read, Status> {
        let request = self.asking(files);
        self.read_with(request).await
    }

    pub(crate) async fn read_with(
        &mut self,
        request: v1::ReadFilesRequest,
    ) -> Result<Read, Status> {
        let mut replies = self.client.read_files(request).await?.into_inner();
        let mut read = Read::default();
        let mut summary = None;
        let mut current: Option<String> = None;
        while let Some(reply) = replies.message().await? {
            assert!(summary.is_none(), "something came after the summary");
            for chunk in reply.chunks {
                if let Some(file) = chunk.file {
                    assert!(current.is_none(), "a file began before the end of another");
                    current = Some(shown(&file.path, &file.raw_path));
                    read.infos.push(file);
                }
                let path = current.clone().unwrap();
                read.files.entry(path).or_default().extend(chunk.data);
                if let Some(end) = chunk.end {
                    current = None;
                    read.ends.push(end);
                }
            }
            summary = reply.summary;
        }
        assert!(current.is_none(), "a file has no end");
        read.summary = summary.expect("a summary is the last");
        Ok(read)
    }

    pub(crate) async fn list(
        &mut self,
        files: Vec<v1::FileSelector>,
    ) -> Result<(BTreeMap<String, v1::FileInfo>, v1::FilesSummary), Status> {
        let request = v1::ListFilesRequest {
            episode_id: self.episode.clone(),
            files,
            sha256: false,
        };
        let mut replies = self.client.list_files(request).await?.into_inner();
        let mut found = BTreeMap::new();
        let mut summary = None;
        while let Some(reply) = replies.message().await? {
            assert!(summary.is_none(), "something came after the summary");
            for file in reply.files {
                found.insert(shown(&file.path, &file.raw_path), file);
            }
            summary = reply.summary;
        }
        Ok((found, summary.expect("a summary is the last")))
    }

    pub(crate) async fn delete(
        &mut self,
        files: Vec<v1::FileSelector>,
        recursive: bool,
    ) -> Result<v1::DeleteFilesResponse, Status> {
        let request = v1::DeleteFilesRequest {
            episode_id: self.episode.clone(),
            files,
            recursive,
        };
        let reply = self.client.delete_files(request).await?;
        Ok(reply.into_inner())
    }
}

/// Waits until something holds.
pub(crate) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < PATIENCE, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Waits until a file is there.
pub(crate) async fn appears(files: &mut Files, name: &str) {
    until("a file is there", async || {
        !files.list(vec![path(name)]).await.unwrap().0.is_empty()
    })
    .await;
}
