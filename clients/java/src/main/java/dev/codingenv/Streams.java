package dev.codingenv;

import dev.codingenv.v1.CodingEnvGrpc;
import dev.codingenv.v1.OutputPiece;
import dev.codingenv.v1.OutputStream;
import dev.codingenv.v1.StepResponse;
import dev.codingenv.v1.StepStreamRequest;
import dev.codingenv.v1.StepStreamResponse;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.Context;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.stub.ClientCalls;
import java.util.Iterator;
import java.util.function.Consumer;

/** Calls whose responses are many. */
final class Streams {
  private Streams() {}

  /** Gives each response of a call to {@code take}; whoever throws there ends the call. */
  static <Q, R> void each(
      Channel channel, CallOptions options, MethodDescriptor<Q, R> method, Q request, Consumer<R> take) {
    Context.CancellableContext context = Context.current().withCancellation();
    Context before = context.attach();
    try {
      Iterator<R> responses = ClientCalls.blockingServerStreamingCall(channel, method, options, request);
      while (responses.hasNext()) {
        take.accept(responses.next());
      }
    } finally {
      context.detach(before);
      context.cancel(null);
    }
  }

  /** Reads one stream of a step to its end, and notes in the request what has come. */
  static StepResponse read(
      Channel channel, CallOptions options, StepStreamRequest.Builder request, Consumer<OutputPiece> take) {
    StepResponse[] reply = new StepResponse[1];
    Consumer<StepStreamResponse> each =
        response -> {
          if (response.hasReply()) {
            reply[0] = response.getReply();
          } else if (response.hasPiece()) {
            OutputPiece piece = response.getPiece();
            long end = piece.getOffset() + piece.getData().size();
            if (piece.getStream() == OutputStream.OUTPUT_STREAM_STDERR) {
              request.setStderrOffset(end);
            } else {
              request.setStdoutOffset(end);
            }
            take.accept(piece);
          }
        };
    each(channel, options, CodingEnvGrpc.getStepStreamMethod(), request.build(), each);
    if (reply[0] == null) {
      throw Status.UNAVAILABLE.withDescription("the stream ended before the reply").asRuntimeException();
    }
    return reply[0];
  }
}
