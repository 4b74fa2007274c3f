package rechargeflow.bench;

import java.nio.charset.StandardCharsets;
import java.util.Locale;

/** Texts; null is none. */
final class Text {
  private Text() {}

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  static String of(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  /** Returns a text, null if it is empty. */
  static String orNull(String text) {
    return text == null || text.isEmpty() ? null : text;
  }

  static String orEmpty(String text) {
    return text == null ? "" : text;
  }

  /** Returns the first text, or the second if the first is empty. */
  static String first(String a, String b) {
    return a == null || a.isEmpty() ? orNull(b) : a;
  }

  static String lower(String text) {
    return text == null ? null : text.toLowerCase(Locale.ROOT);
  }

  static String upper(String text) {
    return text == null ? null : text.toUpperCase(Locale.ROOT);
  }

  /** Returns an e-mail, trimmed and in lower case; null if it has no @. */
  static String email(String text) {
    return text == null || text.indexOf('@') < 0 ? null : lower(text.strip());
  }

  /** Compares two texts; null sorts like the empty text. */
  static boolean greater(String a, String b) {
    return (a == null ? "" : a).compareTo(b == null ? "" : b) > 0;
  }
}
