package rechargeflow.bench;

/** Which customer has a subscription: the value of an owner record. */
record Owner(String store, String subscriptionId, String customerId, String at) {
  /** After this time an owner record is published again. */
  static final long EVERY = 180 * Times.DAY;

  /** The newest known owner of a subscription: one row of the store. */
  record State(String customerId, long at, long receivedAt) {
    boolean newerThan(State other) {
      if (other == null || at != other.at) {
        return other == null || at > other.at;
      }
      return receivedAt != other.receivedAt ? receivedAt > other.receivedAt : Text.greater(customerId, other.customerId);
    }
  }

  State state(long receivedAt) {
    return new State(customerId, Times.parse(at), receivedAt);
  }
}
