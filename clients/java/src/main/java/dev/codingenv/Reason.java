package dev.codingenv;

/** Why a call failed: the contract's word for it, or one of the client's own. */
public enum Reason {
  /** The request does not make sense; {@link CodingEnvException#fields()} tells what. */
  INVALID_FIELD,
  /** There is no such episode. */
  EPISODE_NOT_FOUND,
  /** It was closed. */
  EPISODE_CLOSED,
  /** It was idle for too long. */
  EPISODE_EXPIRED,
  /** It is held by another server. */
  EPISODE_SERVER_GONE,
  /** The id is in use. */
  EPISODE_EXISTS,
  /** Its interpreter is gone. */
  EPISODE_LOST,
  /** The step's index does not fit. */
  STEP_OUT_OF_ORDER,
  /** The step has run, and its reply was dropped. */
  STEP_REPLY_DROPPED,
  /** The episode ended while the step ran or was queued. */
  EPISODE_ENDED,
  /** As many episodes as the server holds. */
  EPISODE_LIMIT,
  /** As many steps as may wait for a turn. */
  STEP_LIMIT,
  /** As many steps as may be queued in an episode. */
  STEP_QUEUE_FULL,
  /** As many calls that move files as may wait for a turn. */
  FILES_LIMIT,
  /** Nothing was sent or taken for too long in a call that moves files. */
  FILES_STALLED,
  /** Files can't be worked with, or one of a Reset can't be written. */
  FILES_REFUSED,
  /** The episode has something that can't be copied, or the host can't do it. */
  FORK_UNSUPPORTED,
  /** The episode's files are more than are copied. */
  FORK_TOO_LARGE,
  /** A copy of a copy too many. */
  FORK_DEPTH_LIMIT,
  /** The host was short of something for a copy, or copies break as they are made. */
  FORK_FAILED,
  /** There is no such checkpoint. */
  CHECKPOINT_NOT_FOUND,
  /** There is a checkpoint of this name. */
  CHECKPOINT_EXISTS,
  /** No room for a checkpoint. */
  CHECKPOINT_LIMIT,
  /** No interpreter became ready in time. */
  NO_WORKER,
  /** The server is shutting down. */
  SHUTTING_DOWN,
  /** A fault of the server. */
  INTERNAL,
  /**
   * The deadline passed, here or at the server. A step may have run, or run still: the same code again gets its reply, and other code runs
   * after it.
   */
  DEADLINE,
  /** Of the client: the connection broke, and stayed broken until the deadline. */
  CONNECT,
  /** Of the client: the URL is none that can be connected to. */
  URL,
  /** Of the client: there is no episode, reset first. */
  NO_EPISODE,
  /** Of the client: the calling thread was interrupted. As with DEADLINE, a step may have run. */
  CANCELLED,
  /** Of the client: something is wrong with some files of a call; the others are done. {@link CodingEnvException#failures()} tells which. */
  FILES,
  /** One that this client does not know, or an error without a reason: {@link CodingEnvException#reasonName()} has its name. */
  OTHER;

  static Reason of(String name) {
    for (Reason reason : values()) {
      if (reason.name().equals(name)) {
        return reason;
      }
    }
    return OTHER;
  }
}
