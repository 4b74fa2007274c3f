package rechargeflow.bench;

import java.math.BigDecimal;
import java.util.List;

/** Sums and differences of amounts, which are decimal digits; null is none. */
final class Amounts {
  private Amounts() {}

  /** Adds the prices of shipping lines. */
  static String sum(List<Webhook.Price> lines) {
    if (lines == null || lines.isEmpty()) {
      return null;
    }
    if (lines.size() == 1) {
      return lines.get(0).price;
    }
    BigDecimal sum = null;
    for (Webhook.Price line : lines) {
      if (Text.orNull(line.price) != null) {
        BigDecimal price = new BigDecimal(line.price);
        sum = sum == null ? price : sum.add(price);
      }
    }
    return sum == null ? null : sum.toPlainString();
  }

  /** Returns by how much the units of a line are cheaper than before discounts, null if they are not. */
  static String discount(String original, String price, int quantity) {
    if (Text.orNull(original) == null || price == null || original.equals(price)) {
      return null;
    }
    BigDecimal less = new BigDecimal(original).subtract(new BigDecimal(price));
    return less.signum() > 0 ? less.multiply(BigDecimal.valueOf(quantity)).toPlainString() : null;
  }

  /** Compares two amounts without zeros at the end. */
  static boolean same(String a, String b) {
    return withoutZeros(a).equals(withoutZeros(b));
  }

  private static String withoutZeros(String amount) {
    if (amount == null || amount.indexOf('.') < 0) {
      return amount == null ? "" : amount;
    }
    int end = amount.length();
    while (amount.charAt(end - 1) == '0') {
      end--;
    }
    return amount.substring(0, amount.charAt(end - 1) == '.' ? end - 1 : end);
  }
}
