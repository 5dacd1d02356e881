package dev.codingenv;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import dev.codingenv.v1.FileFailure;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/** Why a call failed. What user code does is never an error. */
public final class CodingEnvException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String reasonName;
  private final Status.Code code;
  private final transient Map<String, String> metadata;
  private final transient List<FieldViolation> fields;
  private final Duration retryAfter;
  private final transient List<FileFailure> failures;
  // An earlier try of the same call left open whether it was done.
  private final boolean unsureBefore;

  /**
   * One field of a request that was refused.
   *
   * @param field its path in the request: "limits.output_bytes"
   * @param description what would be right
   */
  public record FieldViolation(String field, String description) {}

  private CodingEnvException(
      String reasonName,
      String message,
      Status.Code code,
      Details details,
      CodingEnvException before,
      Throwable cause) {
    super(reasonName + ": " + message, cause);
    this.reasonName = reasonName;
    this.code = code;
    this.metadata = details.metadata;
    this.fields = List.copyOf(details.fields);
    this.retryAfter = details.retryAfter;
    this.failures = List.copyOf(details.failures);
    this.unsureBefore = before != null && before.isUnsure();
  }

  private static final class Details {
    String reason = "";
    Map<String, String> metadata = Map.of();
    final List<FieldViolation> fields = new ArrayList<>();
    Duration retryAfter;
    List<FileFailure> failures = List.of();
  }

  /** An error of the client's own. */
  static CodingEnvException own(Reason reason, String message, CodingEnvException before, Throwable cause) {
    return new CodingEnvException(reason.name(), message, Status.Code.OK, new Details(), before, cause);
  }

  static CodingEnvException ofFiles(String message, List<FileFailure> failures) {
    Details details = new Details();
    details.failures = failures;
    return new CodingEnvException(Reason.FILES.name(), message, Status.Code.OK, details, null, null);
  }

  static CodingEnvException of(StatusRuntimeException error, CodingEnvException before) {
    Details details = read(error);
    Status status = error.getStatus();
    String message = status.getDescription() == null ? status.getCode().name() : status.getDescription();
    String reason = details.reason;
    if (reason.isEmpty()) {
      if (status.getCause() instanceof InterruptedException || Thread.currentThread().isInterrupted()) {
        return own(Reason.CANCELLED, "the thread was interrupted", before, error);
      }
      if (status.getCode() == Status.Code.DEADLINE_EXCEEDED) {
        reason = Reason.DEADLINE.name();
      } else if (status.getCode() == Status.Code.UNAVAILABLE || isBrokenStream(status)) {
        reason = Reason.CONNECT.name();
        if (status.getCause() != null) {
          message += ": " + status.getCause();
        }
      } else {
        reason = status.getCode().name();
      }
    }
    if (before != null && reason.equals(Reason.DEADLINE.name())) {
      message += " (the try before: " + before.getMessage() + ")";
    }
    return new CodingEnvException(reason, message, status.getCode(), details, before, error);
  }

  private static Details read(StatusRuntimeException error) {
    Details details = new Details();
    com.google.rpc.Status status = StatusProto.fromThrowable(error);
    if (status == null) {
      return details;
    }
    for (Any any : status.getDetailsList()) {
      try {
        if (any.is(ErrorInfo.class)) {
          ErrorInfo info = any.unpack(ErrorInfo.class);
          details.reason = info.getReason();
          details.metadata = Map.copyOf(info.getMetadataMap());
        } else if (any.is(RetryInfo.class)) {
          RetryInfo retry = any.unpack(RetryInfo.class);
          if (retry.hasRetryDelay()) {
            details.retryAfter =
                Duration.ofSeconds(retry.getRetryDelay().getSeconds(), retry.getRetryDelay().getNanos());
          }
        } else if (any.is(BadRequest.class)) {
          for (BadRequest.FieldViolation violation : any.unpack(BadRequest.class).getFieldViolationsList()) {
            details.fields.add(new FieldViolation(violation.getField(), violation.getDescription()));
          }
        }
      } catch (InvalidProtocolBufferException ignored) {
        // A detail that can't be read counts as none.
      }
    }
    return details;
  }

  /** A stream that the other side reset without an answer: gRPC's own words, no refusal. */
  private static boolean isBrokenStream(Status status) {
    return switch (status.getCode()) {
      case INTERNAL, UNKNOWN, CANCELLED ->
          status.getCause() instanceof java.io.IOException
              || status.getDescription() != null && status.getDescription().contains("HTTP/2 error code");
      default -> false;
    };
  }

  /** That of the server's ErrorInfo, or the client's own. */
  public Reason reason() {
    return Reason.of(reasonName);
  }

  /** The reason's name; that of the gRPC code for an error without a reason. */
  public String reasonName() {
    return reasonName;
  }

  /** gRPC's code; OK for the client's own errors. */
  public Status.Code code() {
    return code;
  }

  /** The values in the message: "expected", "episode_id", … */
  public Map<String, String> metadata() {
    return metadata;
  }

  /** What was wrong with the request: {@link Reason#INVALID_FIELD}. */
  public List<FieldViolation> fields() {
    return fields;
  }

  /** When to try again, if the server said so. */
  public Optional<Duration> retryAfter() {
    return Optional.ofNullable(retryAfter);
  }

  /** The first files of {@link Reason#FILES}, and what is wrong with them. */
  public List<FileFailure> failures() {
    return failures;
  }

  boolean isRetryable() {
    return reason() == Reason.CONNECT || retryAfter != null;
  }

  /** Whether what was asked for may have been done, or be done yet. */
  boolean isUnsure() {
    return switch (reason()) {
      case DEADLINE, CONNECT, CANCELLED, INTERNAL -> true;
      default -> unsureBefore;
    };
  }

  /** The index that the server expects, when a step was out of order. */
  OptionalInt expectedStep() {
    String expected = metadata.get("expected");
    if (reason() != Reason.STEP_OUT_OF_ORDER || expected == null) {
      return OptionalInt.empty();
    }
    try {
      return OptionalInt.of(Integer.parseUnsignedInt(expected));
    } catch (NumberFormatException ignored) {
      return OptionalInt.empty();
    }
  }
}
