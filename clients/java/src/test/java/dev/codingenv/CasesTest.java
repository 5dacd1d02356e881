package dev.codingenv;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.JsonFormat;
import dev.codingenv.v1.CloseRequest;
import dev.codingenv.v1.CodingEnvGrpc;
import dev.codingenv.v1.GetStateResponse;
import dev.codingenv.v1.ResetRequest;
import dev.codingenv.v1.ResetResponse;
import dev.codingenv.v1.StepRequest;
import dev.codingenv.v1.StepResponse;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** The table that the clients of all languages share: clients/README.md. */
class CasesTest {
  private static Support.Server server;
  private static Connection connection;

  @BeforeAll
  static void start() {
    server = new Support.Server();
    connection = new Connection(server.address);
  }

  @AfterAll
  static void stop() {
    connection.close();
    server.close();
  }

  @TestFactory
  Stream<DynamicTest> cases() throws IOException {
    JsonObject table = JsonParser.parseString(Files.readString(Path.of("../cases.json"))).getAsJsonObject();
    List<DynamicTest> tests = new ArrayList<>();
    for (JsonElement element : table.getAsJsonArray("cases")) {
      JsonObject each = element.getAsJsonObject();
      tests.add(DynamicTest.dynamicTest(each.get("name").getAsString(), () -> run(each)));
    }
    assertTrue(tests.size() >= 30, "only " + tests.size() + " cases");
    return tests.stream();
  }

  private static void run(JsonObject each) throws Exception {
    try (CodingEnv env = connection.env()) {
      env.reset(resetOptions(each.has("reset") ? each.getAsJsonObject("reset") : new JsonObject()));
      JsonArray calls = each.getAsJsonArray("calls");
      for (int at = 0; at < calls.size(); at++) {
        JsonObject call = calls.get(at).getAsJsonObject();
        String where = "call " + at;
        if (call.has("expect_error")) {
          CodingEnvException error = assertThrows(CodingEnvException.class, () -> call(env, call), where);
          compare(error, call.getAsJsonObject("expect_error"), where);
        } else {
          JsonObject got = call(env, call);
          compare(got, call.has("expect") ? call.getAsJsonObject("expect") : new JsonObject(), where);
        }
      }
    }
  }

  /** Makes one call and returns what there is to compare. */
  private static JsonObject call(CodingEnv env, JsonObject call) throws Exception {
    JsonObject got = new JsonObject();
    if (call.has("step")) {
      JsonObject fields = call.getAsJsonObject("step").deepCopy();
      String code = fields.remove("code").getAsString();
      CompletableFuture<Void> interrupting = new CompletableFuture<>();
      Thread thread = new Thread(() -> interrupt(env, interrupting));
      if (call.has("interrupt")) {
        thread.start();
      } else {
        interrupting.complete(null);
      }
      StepResponse reply = env.step(code, stepOptions(fields));
      thread.interrupt();
      interrupting.get();
      got.addProperty("stdout", reply.getObservation().getStdout());
      got.addProperty("stderr", reply.getObservation().getStderr());
      got.addProperty("exit_code", reply.getObservation().getExitCode());
      boolean hasResult = reply.getObservation().hasResult();
      got.add("result", hasResult ? new JsonPrimitive(reply.getObservation().getResult()) : JsonNull.INSTANCE);
      got.addProperty("outcome", reply.getOutcome().name());
      got.addProperty("state_after", reply.getStateAfter().name());
      got.addProperty("done", reply.getDone());
      got.add("reward", reply.hasReward() ? new JsonPrimitive(reply.getReward()) : JsonNull.INSTANCE);
      got.add("metadata", object(reply.getMetadataMap()));
      got.addProperty("exception", reply.getReported().getException().getType());
      got.addProperty("stdout_truncated", reply.getObserved().getStdoutTruncated());
    } else if (call.has("reset")) {
      ResetResponse reply = env.reset(resetOptions(call.getAsJsonObject("reset")));
      got.addProperty("stdout", reply.getObservation().getStdout());
      got.addProperty("stderr", reply.getObservation().getStderr());
      got.addProperty("exit_code", reply.getObservation().getExitCode());
      got.addProperty("done", reply.getDone());
      got.add("reward", reply.hasReward() ? new JsonPrimitive(reply.getReward()) : JsonNull.INSTANCE);
      got.add("metadata", object(reply.getMetadataMap()));
    } else if (call.has("state")) {
      GetStateResponse reply = env.state();
      got.addProperty("step_count", reply.getState().getStepCount());
      got.addProperty("last_exit_code", reply.getState().getLastExitCode());
      got.addProperty("status", reply.getStatus().name());
    } else if (call.has("close")) {
      env.close();
    } else if (call.has("end")) {
      CloseRequest request = CloseRequest.newBuilder().setEpisodeId(env.episodeId()).build();
      connection.send(CodingEnvGrpc.getCloseMethod(), request);
    } else {
      fail("no such call: " + call);
    }
    return got;
  }

  /** Interrupts the running step, again and again until an interrupt has hit. */
  private static void interrupt(CodingEnv env, CompletableFuture<Void> done) {
    try {
      Support.waitUntil("an interrupt hits", env::interrupt);
      done.complete(null);
    } catch (Throwable error) {
      done.completeExceptionally(error);
    }
  }

  private static JsonObject object(Map<String, String> entries) {
    JsonObject object = new JsonObject();
    entries.forEach(object::addProperty);
    return object;
  }

  private static void compare(CodingEnvException error, JsonObject want, String where) {
    assertEquals(want.get("reason").getAsString(), error.reasonName(), where + ": " + error.getMessage());
    assertEquals(want.has("code") ? want.get("code").getAsString() : "OK", error.code().name(), where);
    if (want.has("fields")) {
      JsonArray fields = new JsonArray();
      error.fields().stream().map(CodingEnvException.FieldViolation::field).sorted().forEach(fields::add);
      assertEquals(want.get("fields"), fields, where);
    }
  }

  private static void compare(JsonObject got, JsonObject expect, String where) {
    for (String key : expect.keySet()) {
      JsonElement want = expect.get(key);
      JsonElement value = got.get(key.replaceFirst("_contains$", ""));
      String what = where + ": " + key;
      assertNotNull(value, what + " is no key");
      if (key.endsWith("_contains")) {
        assertTrue(value.getAsString().contains(want.getAsString()), what + ": " + value);
      } else if (want.isJsonPrimitive() && want.getAsJsonPrimitive().isNumber() && value.isJsonPrimitive()) {
        assertEquals(want.getAsDouble(), value.getAsDouble(), 1e-9, what);
      } else {
        assertEquals(want, value, what);
      }
    }
  }

  private static ResetOptions resetOptions(JsonObject fields) throws InvalidProtocolBufferException {
    ResetRequest.Builder request = ResetRequest.newBuilder();
    JsonFormat.parser().merge(fields.toString(), request);
    return new ResetOptions(
        request.hasSeed() ? request.getSeed() : null,
        request.getRuntime(),
        request.hasLimits() ? request.getLimits() : null,
        request.getEnvironmentMap(),
        request.getNetwork());
  }

  private static StepOptions stepOptions(JsonObject fields) throws InvalidProtocolBufferException {
    StepRequest.Builder request = StepRequest.newBuilder();
    JsonFormat.parser().merge(fields.toString(), request);
    Duration timeout = Duration.ofSeconds(request.getTimeout().getSeconds(), request.getTimeout().getNanos());
    return new StepOptions(
        request.hasTimeout() ? timeout : null,
        request.hasLimits() ? request.getLimits() : null,
        request.hasMaxReplyBytes() ? request.getMaxReplyBytes() : null);
  }
}
