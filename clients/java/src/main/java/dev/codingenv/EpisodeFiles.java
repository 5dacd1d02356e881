package dev.codingenv;

import com.google.protobuf.ByteString;
import dev.codingenv.v1.CodingEnvGrpc;
import dev.codingenv.v1.FileChunk;
import dev.codingenv.v1.FileEnd;
import dev.codingenv.v1.FileFailure;
import dev.codingenv.v1.FileInfo;
import dev.codingenv.v1.FileSelector;
import dev.codingenv.v1.FilesSummary;
import dev.codingenv.v1.ReadFilesRequest;
import dev.codingenv.v1.ReadFilesResponse;
import dev.codingenv.v1.WriteFilesRequest;
import dev.codingenv.v1.WriteFilesResponse;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.function.Supplier;

/** The files of an episode's workspace, the directory that its program starts in: {@link CodingEnv#files()}. Paths are relative to it. */
public final class EpisodeFiles {
  // A call that writes has about so much, so that a connection that breaks costs no more than that again.
  private static final int CALL_BYTES = 64 << 20;
  private static final int CALL_FILES = 1000;
  // Bytes of a file in one message.
  private static final int PIECE_BYTES = 256 << 10;

  private final Connection connection;
  private final Supplier<Connection.Route> route;

  EpisodeFiles(Connection connection, Supplier<Connection.Route> route) {
    this.connection = connection;
    this.route = route;
  }

  /**
   * Writes files, by their paths, each whole or not at all, in the place of what is there; directories on their way are made.
   *
   * @throws CodingEnvException {@link Reason#FILES} when some can't be written: the others are, and {@link CodingEnvException#failures()} tells
   *     which and why
   */
  public void write(Map<String, byte[]> files) {
    Connection.Route there = route.get();
    List<FileFailure> failures = new ArrayList<>();
    int failed = 0;
    for (List<Map.Entry<String, byte[]>> group : grouped(files)) {
      WriteFilesResponse reply =
          connection.retrying(
              there, connection.options().deadline(), (channel, options) -> write(channel, options, there.id(), group));
      failures.addAll(reply.getFailuresList());
      failed += reply.getFailed();
    }
    check(failed, failures, false);
  }

  private static List<List<Map.Entry<String, byte[]>>> grouped(Map<String, byte[]> files) {
    List<List<Map.Entry<String, byte[]>>> groups = new ArrayList<>();
    List<Map.Entry<String, byte[]>> group = List.of();
    long bytes = 0;
    for (Map.Entry<String, byte[]> file : files.entrySet()) {
      if (group.isEmpty() || bytes >= CALL_BYTES || group.size() >= CALL_FILES) {
        group = new ArrayList<>();
        groups.add(group);
        bytes = 0;
      }
      group.add(file);
      bytes += file.getValue().length;
    }
    return groups;
  }

  private static WriteFilesResponse write(
      Channel channel, CallOptions options, String episodeId, List<Map.Entry<String, byte[]>> files) {
    ClientCall<WriteFilesRequest, WriteFilesResponse> call = channel.newCall(CodingEnvGrpc.getWriteFilesMethod(), options);
    CompletableFuture<WriteFilesResponse> answer = new CompletableFuture<>();
    StreamObserver<WriteFilesRequest> requests = ClientCalls.asyncClientStreamingCall(call, observer(answer));
    WriteFilesRequest.Builder request = WriteFilesRequest.newBuilder().setEpisodeId(episodeId);
    int bytes = 0;
    for (Map.Entry<String, byte[]> file : files) {
      byte[] data = file.getValue();
      int at = 0;
      do {
        int count = Math.min(PIECE_BYTES, data.length - at);
        FileChunk.Builder chunk = FileChunk.newBuilder().setData(ByteString.copyFrom(data, at, count));
        if (at == 0) {
          chunk.setFile(FileInfo.newBuilder().setPath(file.getKey()));
        }
        at += count;
        if (at == data.length) {
          chunk.setEnd(FileEnd.getDefaultInstance());
        }
        request.addChunks(chunk);
        bytes += count;
        if (bytes >= PIECE_BYTES) {
          requests.onNext(request.build());
          request = WriteFilesRequest.newBuilder();
          bytes = 0;
        }
      } while (at < data.length);
    }
    requests.onNext(request.build());
    requests.onCompleted();
    try {
      return answer.get();
    } catch (InterruptedException interrupted) {
      call.cancel("the thread was interrupted", interrupted);
      Thread.currentThread().interrupt();
      throw Status.CANCELLED.withCause(interrupted).asRuntimeException();
    } catch (ExecutionException error) {
      throw error.getCause() instanceof StatusRuntimeException status
          ? status
          : Status.fromThrowable(error.getCause()).asRuntimeException();
    }
  }

  private static StreamObserver<WriteFilesResponse> observer(CompletableFuture<WriteFilesResponse> answer) {
    return new StreamObserver<>() {
      @Override
      public void onNext(WriteFilesResponse response) {
        answer.complete(response);
      }

      @Override
      public void onError(Throwable error) {
        answer.completeExceptionally(error);
      }

      @Override
      public void onCompleted() {
        // It was completed by the response; without one this is told.
        answer.completeExceptionally(Status.UNAVAILABLE.withDescription("the call ended before the reply").asRuntimeException());
      }
    };
  }

  /**
   * Reads files: their content by their paths, which may be globs where they have one of {@code *?[{}; {@code **} is any number of directories.
   * Content is held in memory; in a path, what is not UTF-8 is U+FFFD.
   *
   * @throws CodingEnvException {@link Reason#FILES} when some can't be read: {@link CodingEnvException#failures()} tells which and why
   */
  public SortedMap<String, byte[]> read(String... patterns) {
    Connection.Route there = route.get();
    ReadFilesRequest.Builder request = ReadFilesRequest.newBuilder().setEpisodeId(there.id());
    for (String pattern : patterns) {
      boolean isGlob = pattern.chars().anyMatch(character -> "*?[{".indexOf(character) >= 0);
      FileSelector.Builder selector = FileSelector.newBuilder();
      request.addFiles(isGlob ? selector.setGlob(pattern) : selector.setPath(pattern));
    }
    Found found =
        connection.retrying(
            there,
            connection.options().deadline(),
            (channel, options) -> {
              Found one = new Found();
              Streams.each(channel, options, CodingEnvGrpc.getReadFilesMethod(), request.build(), one::take);
              return one;
            });
    FilesSummary summary = found.summary;
    check(summary.getFailed(), summary.getFailuresList(), summary.getTruncated());
    return found.files;
  }

  /** What one call has read. */
  private static final class Found {
    final SortedMap<String, byte[]> files = new TreeMap<>();
    FilesSummary summary = FilesSummary.getDefaultInstance();
    private String path = "";
    private List<ByteString> pieces = new ArrayList<>();

    void take(ReadFilesResponse response) {
      for (FileChunk chunk : response.getChunksList()) {
        if (chunk.hasFile()) {
          path = pathOf(chunk.getFile().getPath(), chunk.getFile().getRawPath());
          pieces = new ArrayList<>();
        }
        pieces.add(chunk.getData());
        if (chunk.hasEnd() && !chunk.getEnd().hasError()) {
          files.put(path, ByteString.copyFrom(pieces).toByteArray());
        }
      }
      if (response.hasSummary()) {
        summary = response.getSummary();
      }
    }
  }

  private static String pathOf(String path, ByteString rawPath) {
    return rawPath.isEmpty() ? path : rawPath.toStringUtf8();
  }

  private static void check(int failed, List<FileFailure> failures, boolean truncated) {
    if (failed == 0 && !truncated) {
      return;
    }
    String message = "a limit ended the call before all was found";
    if (failed > 0) {
      message = "something is wrong with " + failed + " files";
    }
    if (!failures.isEmpty()) {
      FileFailure first = failures.get(0);
      message += ", first with `" + pathOf(first.getPath(), first.getRawPath()) + "`: " + first.getError().getMessage();
    }
    throw CodingEnvException.ofFiles(message, failures);
  }
}
