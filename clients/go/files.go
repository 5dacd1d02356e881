package codingenv

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"google.golang.org/grpc"

	pb "github.com/coding-env/coding-env/clients/go/codingenvv1"
)

const (
	// A call that writes has about so much, so that a connection that breaks costs no more than that again.
	filesCallBytes = 64 << 20
	filesCallCount = 1000
	// Bytes of a file in one message.
	filesPieceBytes = 256 << 10
)

// Files are the files of an episode's workspace, the directory that its program starts in: see [Env.Files]. Paths are relative to it. It is safe for
// concurrent use, while a step runs too.
type Files struct {
	env *Env
}

// Files returns the files of whichever episode there is.
func (e *Env) Files() *Files { return &Files{env: e} }

// Write writes files, each whole or not at all, in the place of what is there; directories on their way are made.
//
// When some can't be written the others are, and the error is a [ReasonFiles] whose [Error.Failures] tells which and why.
func (f *Files) Write(ctx context.Context, files map[string][]byte) error {
	episode := f.env.current()
	if episode == nil {
		return errNoEpisode
	}
	var failures []*pb.FileFailure
	var failed uint32
	for _, group := range grouped(files) {
		response, _, err := call(ctx, f.env.connection, episode, f.env.connection.options.Deadline, f.write,
			&writing{episodeID: episode.id, paths: group, files: files})
		if err != nil {
			return err
		}
		failures = append(failures, response.GetFailures()...)
		failed += response.GetFailed()
	}
	return filesFailed(failed, failures, false)
}

// writing is what one call writes.
type writing struct {
	episodeID string
	paths     []string
	files     map[string][]byte
}

// grouped parts paths, in order, into those of one call each.
func grouped(files map[string][]byte) [][]string {
	var groups [][]string
	bytes := filesCallBytes
	for _, path := range slices.Sorted(maps.Keys(files)) {
		if bytes >= filesCallBytes || len(groups[len(groups)-1]) >= filesCallCount {
			groups = append(groups, nil)
			bytes = 0
		}
		last := len(groups) - 1
		groups[last] = append(groups[last], path)
		bytes += len(files[path])
	}
	return groups
}

func (f *Files) write(ctx context.Context, asked *writing, options ...grpc.CallOption) (*pb.WriteFilesResponse, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := f.env.connection.client.WriteFiles(ctx, options...)
	if err != nil {
		return nil, err
	}
	request := &pb.WriteFilesRequest{EpisodeId: asked.episodeID}
	bytes := 0
	for _, path := range asked.paths {
		data := asked.files[path]
		chunk := &pb.FileChunk{File: &pb.FileInfo{Path: path}}
		for {
			piece := data[:min(len(data), filesPieceBytes)]
			data = data[len(piece):]
			chunk.Data = piece
			if len(data) == 0 {
				chunk.End = &pb.FileEnd{}
			}
			request.Chunks = append(request.Chunks, chunk)
			bytes += len(piece)
			if bytes >= filesPieceBytes {
				// What went wrong is told by the answer.
				if err := stream.Send(request); errors.Is(err, io.EOF) {
					return stream.CloseAndRecv()
				} else if err != nil {
					return nil, err
				}
				request, bytes = &pb.WriteFilesRequest{}, 0
			}
			if len(data) == 0 {
				break
			}
			chunk = &pb.FileChunk{}
		}
	}
	if err := stream.Send(request); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return stream.CloseAndRecv()
}

// Read reads files: their content by their paths. A pattern is a path, or a glob if it has one of *?[{; "**" is any number of directories.
//
// When some can't be read the others are returned all the same, with a [ReasonFiles] whose [Error.Failures] tells which and why. Content is held in
// memory. A name that is not UTF-8 is a string of its bytes.
func (f *Files) Read(ctx context.Context, patterns ...string) (map[string][]byte, error) {
	episode := f.env.current()
	if episode == nil {
		return nil, errNoEpisode
	}
	request := &pb.ReadFilesRequest{EpisodeId: episode.id}
	for _, pattern := range patterns {
		selector := &pb.FileSelector{Selector: &pb.FileSelector_Path{Path: pattern}}
		if strings.ContainsAny(pattern, "*?[{") {
			selector = &pb.FileSelector{Selector: &pb.FileSelector_Glob{Glob: pattern}}
		}
		request.Files = append(request.Files, selector)
	}
	deadline := f.env.connection.options.Deadline
	found, _, err := call(ctx, f.env.connection, episode, deadline, f.read, request)
	if err != nil {
		return nil, err
	}
	return found.files, filesFailed(found.summary.GetFailed(), found.summary.GetFailures(), found.summary.GetTruncated())
}

// found is what one call has read.
type found struct {
	files   map[string][]byte
	summary *pb.FilesSummary
}

func (f *Files) read(ctx context.Context, request *pb.ReadFilesRequest, options ...grpc.CallOption) (*found, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := f.env.connection.client.ReadFiles(ctx, request, options...)
	if err != nil {
		return nil, err
	}
	all := &found{files: map[string][]byte{}}
	var path string
	var data []byte
	for {
		response, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		for _, chunk := range response.GetChunks() {
			if file := chunk.GetFile(); file != nil {
				path, data = file.GetPath(), []byte{}
				if raw := file.GetRawPath(); len(raw) > 0 {
					path = string(raw)
				}
			}
			data = append(data, chunk.GetData()...)
			if end := chunk.GetEnd(); end != nil && end.GetError() == nil {
				all.files[path] = data
			}
		}
		if summary := response.GetSummary(); summary != nil {
			all.summary = summary
		}
	}
}

// filesFailed is the error of a call with which not everything went well; nil when it did.
func filesFailed(failed uint32, failures []*pb.FileFailure, truncated bool) error {
	if failed == 0 && !truncated {
		return nil
	}
	message := "a limit ended the call before all was found"
	if failed > 0 {
		message = fmt.Sprintf("something is wrong with %d files", failed)
	}
	if len(failures) > 0 {
		path := failures[0].GetPath()
		if raw := failures[0].GetRawPath(); len(raw) > 0 {
			path = string(raw)
		}
		message += fmt.Sprintf(", first with %q: %s", path, failures[0].GetError().GetMessage())
	}
	return &Error{Reason: ReasonFiles, Message: message, Failures: failures}
}
