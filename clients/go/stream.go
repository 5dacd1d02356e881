package codingenv

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/coding-env/coding-env/clients/go/codingenvv1"
)

// StepStream runs code in the episode, and gives what it prints to take as it is printed; then it returns what [Env.Step] would have returned.
//
// Pieces of stdout come in the order in which they were written, as do those of stderr. A connection that breaks is made again, and each byte comes
// once. take is called by the goroutine that calls StepStream; while it does not return the program may be made to wait.
func (e *Env) StepStream(ctx context.Context, code string, take func(*pb.OutputPiece)) (*pb.StepResponse, error) {
	return e.StepStreamWith(ctx, code, StepOptions{}, take)
}

// StepStreamWith is StepStream with options.
func (e *Env) StepStreamWith(
	ctx context.Context, code string, options StepOptions, take func(*pb.OutputPiece),
) (*pb.StepResponse, error) {
	// Kept from try to try, so that one that follows goes on where the one before broke.
	var request pb.StepStreamRequest
	send := func(ctx context.Context, step *pb.StepRequest, options ...grpc.CallOption) (*pb.StepResponse, error) {
		request.Step = step
		return e.follow(ctx, &request, take, options...)
	}
	return e.run(ctx, code, options, send)
}

// follow reads one stream to its end, and notes in the request what has come.
func (e *Env) follow(
	ctx context.Context, request *pb.StepStreamRequest, take func(*pb.OutputPiece), options ...grpc.CallOption,
) (*pb.StepResponse, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := e.connection.client.StepStream(ctx, request, options...)
	if err != nil {
		return nil, err
	}
	for {
		response, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil, status.Error(codes.Unavailable, "the stream ended before the reply")
		}
		if err != nil {
			return nil, err
		}
		if reply := response.GetReply(); reply != nil {
			return reply, nil
		}
		piece := response.GetPiece()
		if piece == nil {
			continue // a heartbeat
		}
		end := piece.GetOffset() + uint64(len(piece.GetData()))
		if piece.GetStream() == pb.OutputStream_OUTPUT_STREAM_STDERR {
			request.StderrOffset = end
		} else {
			request.StdoutOffset = end
		}
		take(piece)
	}
}
