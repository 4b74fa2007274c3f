package rechargeflow.bench;

import org.apache.kafka.streams.state.KeyValueStore;

/** The customers of charges, each in the partition of the charge's id: the webhook of a deleted charge has nothing else. */
final class ChargeOwners {
  private final KeyValueStore<String, ChargeOwner.State> rows;

  ChargeOwners(KeyValueStore<String, ChargeOwner.State> rows) {
    this.rows = rows;
  }

  /** Applies an owner record; returns the deletion of a charge that was deleted before, or has moved to another customer. */
  ChargeDeletion owned(ChargeOwner o, long receivedAt) {
    String key = key(o.store(), o.chargeId());
    ChargeOwner.State known = known(key, receivedAt);
    ChargeOwner.State next = new ChargeOwner.State(o.customerId(), Times.parse(o.at()), known.deletedAt(), receivedAt);
    if (known.customerId() == null || known.customerId().equals(o.customerId())) {
      rows.put(key, next);
      return next.deletion(o.store(), o.chargeId());
    }
    boolean moved = next.at() >= known.at();
    rows.put(key, moved ? next : known);
    return new ChargeDeletion(o.store(), o.chargeId(), moved ? known.customerId() : o.customerId(), Times.format(receivedAt));
  }

  /** Applies a deletion; returns it if the customer is known, and has not heard of it. */
  ChargeDeletion deleted(String store, String charge, long receivedAt) {
    String key = key(store, charge);
    ChargeOwner.State known = known(key, receivedAt);
    if (known.deletedAt() != 0) {
      return null;
    }
    ChargeOwner.State next = new ChargeOwner.State(known.customerId(), known.at(), receivedAt, receivedAt);
    rows.put(key, next);
    return next.deletion(store, charge);
  }

  private ChargeOwner.State known(String key, long receivedAt) {
    ChargeOwner.State known = rows.get(key);
    return known == null ? ChargeOwner.State.NONE : known.unlessExpired(receivedAt);
  }

  private static String key(String store, String charge) {
    return store + "/" + charge;
  }
}
