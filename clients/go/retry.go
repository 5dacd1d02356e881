package codingenv

import (
	"context"
	"math/rand/v2"
	"time"
)

// retry keeps the pauses between the tries of one call.
type retry struct {
	next, max time.Duration
}

func newRetry(options Options) *retry {
	return &retry{next: options.RetryFirst, max: options.RetryMax}
}

// pause waits before the next try: as long as the server asked, or twice as long as before; spread at random, so that many clients don't
// come back at once. It returns false when there is no time for another try.
func (r *retry) pause(ctx context.Context, failure *Error) bool {
	pause := r.next
	if failure.RetryAfter != nil {
		pause = *failure.RetryAfter
	}
	r.next = min(2*r.next, r.max)
	pause = pause/2 + time.Duration(rand.Float64()*float64(pause))
	if end, ok := ctx.Deadline(); ok && time.Until(end) <= pause {
		return false
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
