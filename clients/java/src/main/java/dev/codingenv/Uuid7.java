package dev.codingenv;

import java.security.SecureRandom;
import java.util.UUID;

/** UUIDv7 (RFC 9562): the time in milliseconds, then random bits. */
final class Uuid7 {
  private static final SecureRandom RANDOM = new SecureRandom();

  private Uuid7() {}

  static String make() {
    long high = System.currentTimeMillis() << 16 | 0x7000 | RANDOM.nextInt(0x1000);
    long low = RANDOM.nextLong() & 0x3fffffffffffffffL | 0x8000000000000000L;
    return new UUID(high, low).toString();
  }
}
