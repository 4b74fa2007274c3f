package rechargeflow.bench;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** Computes the ids of facts. One thread at a time. */
final class FactIds {
  private static final HexFormat HEX = HexFormat.of();
  private static final int ID_BYTES = 16;
  private static final int SHORT_DIGITS = 16;

  private final MessageDigest digest;

  FactIds() {
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Hashes the parts that define a fact, each preceded by its length. */
  String id(String... parts) {
    for (String part : parts) {
      byte[] bytes = Text.bytes(part);
      digest.update(Text.bytes(bytes.length + ":"));
      digest.update(bytes);
    }
    return HEX.formatHex(digest.digest(), 0, ID_BYTES);
  }

  /** Hashes topic and body of a webhook. */
  String delivery(String topic, byte[] body) {
    digest.update(Text.bytes(topic + "\n"));
    digest.update(body);
    return HEX.formatHex(digest.digest());
  }

  /** Returns the part of the delivery's hash that the state stores. */
  String shortDelivery(Input in) {
    return delivery(in.topic, in.record.value()).substring(0, SHORT_DIGITS);
  }

  /** Returns the time of a change for a fact id; without a time, the hash of the body. */
  String changed(Input in, long at) {
    return at == 0 ? "body " + delivery(in.topic, in.record.value()) : Times.format(Times.earliest(at));
  }

  /** Returns the part of an id that the state stores. */
  static long shortId(String id) {
    return Long.parseUnsignedLong(id, 0, SHORT_DIGITS, 16);
  }
}
