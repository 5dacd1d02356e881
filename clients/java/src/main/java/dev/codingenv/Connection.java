package dev.codingenv;

import dev.codingenv.v1.CodingEnvGrpc;
import dev.codingenv.v1.GetServerInfoRequest;
import dev.codingenv.v1.GetServerInfoResponse;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ChannelCredentials;
import io.grpc.ClientInterceptor;
import io.grpc.ClientInterceptors;
import io.grpc.ConnectivityState;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;

/** A connection to one server. Thousands of environments can share it, from any thread. */
public final class Connection implements AutoCloseable {
  // The headers of "Routing" in the contract.
  private static final Metadata.Key<String> SERVER = key("x-coding-env-server");
  private static final Metadata.Key<String> EPISODE = key("x-episode-id");
  private static final Metadata.Key<String> AUTHORIZATION = key("authorization");
  // The largest reply that this client decodes; a server sends less unless a step asks for more.
  private static final int REPLY_BYTES_MAX = 64 << 20;
  // gRPC's own pauses between attempts to connect grow to minutes: this client's retries cut them short, this far apart at least.
  private static final long RECONNECT_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  private final ManagedChannel channel;
  private final Options options;
  private final AtomicLong reconnectedNanos = new AtomicLong(System.nanoTime());

  /** Where an episode is: its id, and the server that holds it, null while that is not known. */
  record Route(String id, String server) {}

  /** A reply, and the server that gave it: null when it did not say. */
  record Reply<R>(R message, String server) {}

  /**
   * Prepares a connection to a server, http://HOST:PORT or https://HOST:PORT. It connects with the first call; see {@link #ready()}.
   *
   * @throws CodingEnvException {@link Reason#URL}
   */
  public Connection(String url, Options options) {
    this.options = options;
    URI uri = parse(url);
    boolean secure = uri.getScheme().equals("https");
    if (!secure && options.credentials() != null) {
      throw CodingEnvException.own(Reason.URL, "credentials are set and `" + url + "` is not https://", null, null);
    }
    ChannelCredentials credentials = InsecureChannelCredentials.create();
    if (secure) {
      credentials = options.credentials() == null ? TlsChannelCredentials.create() : options.credentials();
    }
    int port = uri.getPort() != -1 ? uri.getPort() : secure ? 443 : 80;
    channel =
        Grpc.newChannelBuilder("dns:///" + uri.getHost() + ":" + port, credentials)
            .maxInboundMessageSize(REPLY_BYTES_MAX)
            .keepAliveTime(options.keepalive().toNanos(), TimeUnit.NANOSECONDS)
            .keepAliveTimeout(20, TimeUnit.SECONDS)
            .keepAliveWithoutCalls(true)
            .disableRetry()
            .build();
  }

  /** As {@link #Connection(String, Options)}, with the defaults. */
  public Connection(String url) {
    this(url, Options.defaults());
  }

  private static URI parse(String url) {
    URISyntaxException cause = null;
    try {
      URI uri = new URI(url.contains("://") ? url : "http://" + url);
      boolean known = "http".equals(uri.getScheme()) || "https".equals(uri.getScheme());
      if (known && uri.getHost() != null && (uri.getPath().isEmpty() || uri.getPath().equals("/"))) {
        return uri;
      }
    } catch (URISyntaxException error) {
      cause = error;
    }
    String message = "`" + url + "` is no URL of a server: it has to be like http://127.0.0.1:8000";
    throw CodingEnvException.own(Reason.URL, message, null, cause);
  }

  /**
   * Connects.
   *
   * @throws CodingEnvException {@link Reason#CONNECT} when nobody answers within the deadline
   */
  public void ready() {
    long end = System.nanoTime() + options.deadline().toNanos();
    for (ConnectivityState state = channel.getState(true);
        state != ConnectivityState.READY;
        state = channel.getState(true)) {
      if (state == ConnectivityState.TRANSIENT_FAILURE) {
        reconnect();
      }
      CountDownLatch changed = new CountDownLatch(1);
      channel.notifyWhenStateChanged(state, changed::countDown);
      try {
        long left = end - System.nanoTime();
        if (state == ConnectivityState.SHUTDOWN || left <= 0) {
          throw CodingEnvException.own(Reason.CONNECT, "nobody answers at " + channel.authority(), null, null);
        }
        changed.await(Math.min(left, RECONNECT_NANOS), TimeUnit.NANOSECONDS);
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
        throw CodingEnvException.own(Reason.CANCELLED, "the thread was interrupted", null, interrupted);
      }
    }
  }

  /** An environment without an episode. */
  public CodingEnv env() {
    return new CodingEnv(this, false);
  }

  /** What the server is, what it allows, and what it is doing. */
  public GetServerInfoResponse serverInfo() {
    return send(CodingEnvGrpc.getGetServerInfoMethod(), GetServerInfoRequest.getDefaultInstance());
  }

  /**
   * Calls a method of the contract by itself, with the same retries: for what {@link CodingEnv} does not cover.
   *
   * @param method one of {@link CodingEnvGrpc}'s
   */
  public <Q, R> R send(MethodDescriptor<Q, R> method, Q request) {
    return call(method, request, null, options.deadline()).message();
  }

  /** Closes the connection. Its episodes are left to the server's idle timeout, unless they were closed before. */
  @Override
  public void close() {
    channel.shutdownNow();
  }

  Options options() {
    return options;
  }

  /**
   * Sends a request until it is answered, refused, or the deadline has passed. Every request can be sent again: a Reset bears its request
   * id, a Step its index, and the others do the same again.
   */
  <Q, R> Reply<R> call(MethodDescriptor<Q, R> method, Q request, Route route, Duration deadline) {
    return retrying(
        route,
        deadline,
        (channel, options) -> {
          AtomicReference<Metadata> received = new AtomicReference<>();
          ClientInterceptor capturing = MetadataUtils.newCaptureMetadataInterceptor(received, new AtomicReference<>());
          Channel captured = ClientInterceptors.intercept(channel, capturing);
          R response = ClientCalls.blockingUnaryCall(captured, method, options, request);
          return new Reply<>(response, received.get() == null ? null : received.get().get(SERVER));
        });
  }

  /** One try of a call. It fails with a {@link StatusRuntimeException}. */
  interface Try<R> {
    R run(Channel channel, CallOptions options);
  }

  /** Tries until it succeeds, is refused, or the deadline has passed. */
  <R> R retrying(Route route, Duration deadline, Try<R> one) {
    Metadata headers = new Metadata();
    if (options.token() != null) {
      headers.put(AUTHORIZATION, "Bearer " + options.token());
    }
    if (route != null) {
      headers.put(EPISODE, route.id());
      if (route.server() != null) {
        headers.put(SERVER, route.server());
      }
    }
    Retry retry = new Retry(options, deadline);
    CodingEnvException before = null;
    while (true) {
      try {
        return one.run(
            ClientInterceptors.intercept(channel, MetadataUtils.newAttachHeadersInterceptor(headers)),
            CallOptions.DEFAULT.withDeadlineAfter(retry.leftNanos(), TimeUnit.NANOSECONDS));
      } catch (StatusRuntimeException error) {
        before = CodingEnvException.of(error, before);
      }
      if (!before.isRetryable() || !retry.pause(before)) {
        throw before;
      }
      if (before.reason() == Reason.CONNECT) {
        reconnect();
      }
    }
  }

  private void reconnect() {
    long now = System.nanoTime();
    long last = reconnectedNanos.get();
    if (now - last >= RECONNECT_NANOS && reconnectedNanos.compareAndSet(last, now)) {
      channel.resetConnectBackoff();
    }
  }

  private static Metadata.Key<String> key(String name) {
    return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
  }
}
