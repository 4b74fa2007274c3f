package rechargeflow.bench;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.HashMap;

/** The newest snapshot of a subscription; of a deleted one only the id. */
@JsonInclude(JsonInclude.Include.NON_DEFAULT)
final class SubscriptionState {
  static final String ACTIVE = "active";
  static final String CANCELLED = "cancelled";
  private static final String CANCELED = "canceled";
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
  public long canceledAt;
  public String cancellation;
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

  /** Returns the status as the product's own topics spell it. */
  String publicStatus() {
    return status.equals(CANCELLED) ? CANCELED : status;
  }

  /** Reports whether the subscription was paused, and neither activated nor canceled since. */
  boolean isPaused() {
    return last("paused") > Math.max(last("activated"), last("canceled"));
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

  /** Stores when something happened, unless it happened later; reports whether it was stored. */
  boolean happened(String what, long at) {
    if (at <= last(what)) {
      return false;
    }
    HashMap<String, Long> next = last == null ? new HashMap<>() : new HashMap<>(last);
    next.put(what, at);
    last = next;
    return true;
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
