package rechargeflow.bench;

import com.fasterxml.jackson.annotation.JsonInclude;

/** What is stored of a charge: which snapshot is the newest, and what its row was. */
@JsonInclude(JsonInclude.Include.NON_DEFAULT)
final class ChargeState {
  static final long OPEN_TTL = 425 * Times.DAY;
  private static final long CLOSED_TTL = 180 * Times.DAY;
  private static final int RANK_DELETED = 9;
  private static final int RANK_PAID = 4;

  public long at;
  public int rank;
  public String hash; // of the body
  public long row; // the hash of the row, without its time stamp; 0 for none
  public String scheduledDate;
  public String totalRefunds;
  public String orderNumber;
  public int nthOrder;
  public boolean closed; // paid or deleted
  public boolean counted; // among the customer's orders
  public boolean owned; // an owner record was published

  /** Returns the state after a snapshot of a charge that was received at a time. */
  static ChargeState of(Charge c, String hash, long receivedAt) {
    ChargeState next = new ChargeState();
    next.at = Times.first(c.updatedAt, c.processedAt, c.createdAt, receivedAt);
    next.rank = rank(c.status);
    next.hash = hash;
    next.scheduledDate = c.scheduledDate;
    next.totalRefunds = c.body.totalRefunds;
    next.closed = next.rank >= RANK_PAID;
    return next;
  }

  /** Takes over what snapshots do not say. */
  void keep(ChargeState known) {
    orderNumber = known.orderNumber;
    nthOrder = known.nthOrder;
    counted = known.counted;
    owned = known.owned;
  }

  /** Returns the state after a deletion. */
  static ChargeState deleted(long at) {
    ChargeState next = new ChargeState();
    next.at = at;
    next.rank = RANK_DELETED;
    next.closed = true;
    return next;
  }

  boolean isDeleted() {
    return rank == RANK_DELETED;
  }

  /** Reports whether only the number of the order is known, or that the charge was counted. */
  boolean isUnseen() {
    return rank == 0;
  }

  boolean expired(long time) {
    return time >= at + (closed || isUnseen() ? CLOSED_TTL : OPEN_TTL);
  }

  /** Orders snapshots: a deletion is final; otherwise by time, then status, then hash. */
  boolean newerThan(ChargeState other) {
    if (isDeleted() || other.isDeleted()) {
      return isDeleted();
    }
    if (at != other.at) {
      return at > other.at;
    }
    return rank != other.rank ? rank > other.rank : Text.greater(hash, other.hash);
  }

  /** Reports whether a charge with this status is paid. Others may be tried again, or be deleted. */
  static boolean isPaid(String status) {
    return rank(status) >= RANK_PAID;
  }

  private static int rank(String status) {
    return switch (status == null ? "" : status) {
      case "refunded" -> 6;
      case "partially_refunded" -> 5;
      case "success" -> RANK_PAID;
      case "error" -> 3;
      case "skipped" -> 2;
      default -> 1;
    };
  }
}
