package rechargeflow.bench;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;

/** Which customer has a subscription: the value of an owner record. */
record Owner(String store, String subscriptionId, String customerId, String at) {
  static final String TYPE = "subscription_owner";
  static final String SOURCE = "owner";

  /** After this time an owner record is published again. */
  static final long EVERY = 180 * Times.DAY;

  /** Returns the key of its record, after the store. */
  String key() {
    return "subscription/" + subscriptionId;
  }

  void write(JsonGenerator out) throws IOException {
    out.writeStringField("store", store);
    out.writeStringField("subscription_id", subscriptionId);
    out.writeStringField("customer_id", customerId);
    out.writeStringField("at", at);
  }

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
