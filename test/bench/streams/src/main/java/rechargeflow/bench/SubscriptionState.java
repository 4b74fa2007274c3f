package rechargeflow.bench;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.HashMap;

/** The newest snapshot of a subscription; of a deleted one only the id. */
@JsonInclude(JsonInclude.Include.NON_DEFAULT)
final class SubscriptionState {
  static final String ACTIVE = "active";
  static final String CANCELLED = "cancelled";
  static final String DELETED = "deleted";
  private static final int RANK_DELETED = 5;

  public String id;
  public String addressId;
  public String sourceStatus;
  public String productId;
  public String variantId;
  public String sku;
  public String productTitle;
  public String variantTitle;
  public String price;
  public String currency;
  public int quantity;
  public String intervalUnit;
  public int orderInterval;
  public int chargeInterval;
  public String nextChargeDate;
  public boolean prepaid;
  public long createdAt;
  public long cancelledAt;
  public String cancellationReason;
  public String cancellationReasonComments;
  public String status;
  public long updatedAt;
  public int rank;
  public String hash;
  public HashMap<String, Long> last; // times of the last happenings by kind
  public long ownerSentAt;

  boolean exists() {
    return !status.equals(DELETED);
  }

  boolean isFinal() {
    return rank == RANK_DELETED;
  }

  /** Orders snapshots: a deletion is final; otherwise by time, then topic, then hash. */
  boolean newerThan(SubscriptionState other) {
    if (isFinal() != other.isFinal()) {
      return isFinal();
    }
    if (updatedAt != other.updatedAt) {
      return updatedAt > other.updatedAt;
    }
    return rank != other.rank ? rank > other.rank : Text.greater(hash, other.hash);
  }

  /** Returns the time of a happening, 0 for none. */
  long last(String happening) {
    return last == null ? 0 : last.getOrDefault(happening, 0L);
  }

  static int rank(String topic) {
    return switch (topic) {
      case "subscription/deleted" -> RANK_DELETED;
      case "subscription/cancelled" -> 4;
      case "subscription/activated" -> 3;
      case "subscription/created" -> 2;
      default -> 1;
    };
  }
}
