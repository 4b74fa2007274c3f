package rechargeflow.bench;

import java.util.HashMap;

/** Applies the subscription of a webhook to the state, unless a newer snapshot is known, and records its happening. */
final class Snapshot {
  private final Input in;
  private final Webhook.Subscription s;
  private final SubscriptionState known;
  private final long created;
  private final long updated;
  private final long cancelled;

  private Snapshot(Input in, SubscriptionState known) {
    this.in = in;
    this.known = known;
    s = in.webhook.subscription;
    created = Times.parse(s.createdAt);
    updated = Times.parse(s.updatedAt);
    cancelled = Times.parse(s.cancelledAt);
  }

  static void apply(CustomerState k, Input in, FactIds ids) {
    SubscriptionState known = k.subscription(in.webhook.subscription.id);
    Snapshot snapshot = new Snapshot(in, known);
    HashMap<String, Long> last = snapshot.happenings();
    SubscriptionState next = snapshot.state(ids.shortDelivery(in));
    next.last = last;
    if (known == null || next.newerThan(known)) {
      k.put(next);
    } else if (last != known.last) {
      known.last = last;
      k.changed = true;
    }
  }

  /** Returns the times of the last happenings, the same map if they have not changed. */
  private HashMap<String, Long> happenings() {
    HashMap<String, Long> last = known == null ? null : known.last;
    String kind = kind();
    if (kind == null) {
      return last;
    }
    long before = known == null ? 0 : known.last(kind);
    long at = switch (kind) {
      case "deleted" -> in.receivedAt;
      case "canceled" -> Times.first(cancelled, updated, in.receivedAt);
      default -> Times.first(updated, in.receivedAt);
    };
    if (at <= before || kind.equals("deleted") && before != 0) {
      return last;
    }
    HashMap<String, Long> next = last == null ? new HashMap<>() : new HashMap<>(last);
    next.put(kind, at);
    return next;
  }

  private String kind() {
    return switch (in.topic) {
      case "subscription/activated" -> "activated";
      case "subscription/cancelled" -> "canceled";
      case "subscription/deleted" -> "deleted";
      case "subscription/paused" -> "paused";
      case "subscription/skipped" -> "skipped";
      case "subscription/unskipped" -> "unskipped";
      default -> null;
    };
  }

  private SubscriptionState state(String hash) {
    SubscriptionState n = new SubscriptionState();
    n.id = s.id;
    n.status = status();
    n.rank = SubscriptionState.rank(in.topic);
    n.hash = hash;
    n.ownerSentAt = known == null ? 0 : known.ownerSentAt;
    long own = Times.first(updated, cancelled, created);
    if (n.isFinal()) { // a deletion has no time of its own
      n.updatedAt = Math.max(own, known == null ? 0 : known.updatedAt);
      return n;
    }
    n.updatedAt = Times.first(own, in.receivedAt);
    fields(n);
    return n;
  }

  private void fields(SubscriptionState n) {
    n.addressId = s.addressId;
    n.sourceStatus = Text.lower(s.status);
    n.productId = Webhook.External.id(s.externalProductId);
    n.variantId = Webhook.External.id(s.externalVariantId);
    n.sku = s.sku;
    n.productTitle = s.productTitle;
    n.variantTitle = s.variantTitle;
    n.price = s.price;
    n.currency = s.presentmentCurrency;
    n.quantity = s.quantity;
    n.intervalUnit = Text.lower(s.orderIntervalUnit);
    n.orderInterval = s.orderIntervalFrequency;
    n.chargeInterval = s.chargeIntervalFrequency;
    n.nextChargeDate = Times.day(s.nextChargeScheduledAt);
    n.prepaid = s.isPrepaid;
    n.createdAt = created;
    n.canceledAt = cancelled;
    n.cancellation = Cancellation.of(s);
    n.cancellationReason = s.cancellationReason;
    n.cancellationReasonComments = s.cancellationReasonComments;
  }

  /** Returns the status of the snapshot, or the one that its topic implies. */
  private String status() {
    if (in.topic.equals("subscription/deleted")) {
      return SubscriptionState.DELETED;
    }
    if (Text.orNull(s.status) != null) {
      return Text.lower(s.status);
    }
    if (in.topic.equals("subscription/cancelled")) {
      return SubscriptionState.CANCELLED;
    }
    boolean restored = in.topic.equals("subscription/activated") || known == null || !known.exists();
    return restored ? SubscriptionState.ACTIVE : known.status;
  }
}
