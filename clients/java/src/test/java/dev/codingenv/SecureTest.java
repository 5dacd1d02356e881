package dev.codingenv;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.codingenv.v1.CodingEnvGrpc;
import dev.codingenv.v1.ResetRequest;
import dev.codingenv.v1.ResetResponse;
import dev.codingenv.v1.StepRequest;
import dev.codingenv.v1.StepResponse;
import io.grpc.ChannelCredentials;
import io.grpc.Grpc;
import io.grpc.InsecureServerCredentials;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.TlsChannelCredentials;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class SecureTest {
  private static final char[] PASSWORD = "for tests".toCharArray();

  /** A certificate for 127.0.0.1 that signs itself, and its key. */
  private static KeyStore certificate(Path folder) throws Exception {
    Path file = folder.resolve("store.p12");
    String keytool = Path.of(System.getProperty("java.home"), "bin", "keytool").toString();
    List<String> command =
        List.of(
            keytool, "-genkeypair", "-alias", "test", "-keyalg", "EC", "-groupname", "secp256r1", "-validity", "2",
            "-dname", "CN=test", "-ext", "san=ip:127.0.0.1", "-ext", "bc:c", "-storetype", "PKCS12",
            "-keystore", file.toString(), "-storepass", new String(PASSWORD));
    Process process = new ProcessBuilder(command).inheritIO().start();
    assertTrue(process.waitFor(60, TimeUnit.SECONDS) && process.exitValue() == 0, "keytool");
    KeyStore store = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(file)) {
      store.load(in, PASSWORD);
    }
    return store;
  }

  @Test
  void tlsWithACertificateOfTheClientsOwn(@TempDir Path folder) throws Exception {
    KeyStore store = certificate(folder);
    KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    keys.init(store, PASSWORD);
    KeyStore roots = KeyStore.getInstance("PKCS12");
    roots.load(null, null);
    roots.setCertificateEntry("test", store.getCertificate("test"));
    TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(roots);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);

    ChannelCredentials both =
        TlsChannelCredentials.newBuilder().trustManager(trust.getTrustManagers()).keyManager(keys.getKeyManagers()).build();
    try (Support.Server server = new Support.Server();
        Support.Proxy proxy = new Support.Proxy(server.address, socket -> unwrap(context, socket))) {
      String url = "https://" + proxy.address();
      try (CodingEnv env = CodingEnv.connect(url, Options.defaults().withCredentials(both))) {
        env.reset();
        assertEquals("over TLS\n", env.step("print('over TLS')").getObservation().getStdout());
      }
      Map<String, Options> wrong =
          Map.of(
              "an unknown authority", Options.defaults(),
              "without a certificate",
                  Options.defaults()
                      .withCredentials(TlsChannelCredentials.newBuilder().trustManager(trust.getTrustManagers()).build()));
      for (Map.Entry<String, Options> each : wrong.entrySet()) {
        refuses(each.getKey(), url, each.getValue());
      }
      refuses("a name that it has not", url.replace("127.0.0.1", "localhost"), Options.defaults().withCredentials(both));
      String plain = proxy.address();
      Support.refused(Reason.URL, () -> new Connection(plain, Options.defaults().withCredentials(both)));
    }
  }

  private static void refuses(String name, String url, Options options) {
    try (Connection connection = new Connection(url, options.withDeadline(Duration.ofSeconds(4)))) {
      CodingEnvException error = assertThrows(CodingEnvException.class, () -> connection.env().reset(), name);
      assertTrue(error.getMessage().contains(Reason.CONNECT.name()), name + ": " + error.getMessage());
    }
  }

  private static Socket unwrap(SSLContext context, Socket socket) throws IOException {
    SSLSocket secure = (SSLSocket) context.getSocketFactory().createSocket(socket, null, true);
    SSLParameters parameters = secure.getSSLParameters();
    parameters.setApplicationProtocols(new String[] {"h2"});
    parameters.setNeedClientAuth(true);
    secure.setSSLParameters(parameters);
    secure.setUseClientMode(false);
    return secure;
  }

  /** Answers anything. */
  private static final class Answering extends CodingEnvGrpc.CodingEnvImplBase {
    @Override
    public void reset(ResetRequest request, StreamObserver<ResetResponse> observer) {
      observer.onNext(ResetResponse.getDefaultInstance());
      observer.onCompleted();
    }

    @Override
    public void step(StepRequest request, StreamObserver<StepResponse> observer) {
      observer.onNext(StepResponse.getDefaultInstance());
      observer.onCompleted();
    }
  }

  @Test
  void headers() throws Exception {
    List<Metadata> kept = Collections.synchronizedList(new ArrayList<>());
    ServerInterceptor keep =
        new ServerInterceptor() {
          @Override
          public <Q, R> ServerCall.Listener<Q> interceptCall(
              ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
            kept.add(headers);
            return next.startCall(call, headers);
          }
        };
    Metadata answer = new Metadata();
    answer.put(key("x-coding-env-server"), "lab");
    io.grpc.Server server =
        Grpc.newServerBuilderForPort(0, InsecureServerCredentials.create())
            .addService(new Answering())
            .intercept(keep)
            .intercept(MetadataUtils.newAttachMetadataServerInterceptor(answer))
            .build()
            .start();
    try (Connection connection = new Connection("127.0.0.1:" + server.getPort(), Options.defaults().withToken("secret"))) {
      CodingEnv env = connection.env();
      env.reset();
      env.step("1");
      assertEquals(2, kept.size());
      for (Metadata headers : kept) {
        assertEquals("Bearer secret", headers.get(key("authorization")));
        assertEquals(env.episodeId(), headers.get(key("x-episode-id")));
      }
      assertEquals(null, kept.get(0).get(key("x-coding-env-server")));
      assertEquals("lab", kept.get(1).get(key("x-coding-env-server")));
    } finally {
      server.shutdownNow();
    }
  }

  private static Metadata.Key<String> key(String name) {
    return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
  }
}
