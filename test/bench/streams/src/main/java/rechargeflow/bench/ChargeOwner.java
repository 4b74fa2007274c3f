package rechargeflow.bench;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;

/** Which customer has a charge that is not paid: the value of an owner record. */
record ChargeOwner(String store, String chargeId, String customerId, String at) {
  static final String TYPE = "charge_owner";
  static final String SOURCE = "charge_owner";

  /** Returns the key of its record, after the store. */
  String key() {
    return "charge/" + chargeId;
  }

  void write(JsonGenerator out) throws IOException {
    out.writeStringField("store", store);
    out.writeStringField("charge_id", chargeId);
    out.writeStringField("customer_id", customerId);
    out.writeStringField("at", at);
  }

  /** What the partition of a charge's id stores: its customer, its deletion, or both. */
  record State(String customerId, long at, long deletedAt, long receivedAt) {
    static final State NONE = new State(null, 0, 0, 0);

    State unlessExpired(long time) {
      return time >= receivedAt + ChargeState.OPEN_TTL ? NONE : this;
    }

    /** Returns the deletion that the customer must hear of, null if one of the two is not known. */
    ChargeDeletion deletion(String store, String charge) {
      return customerId == null || deletedAt == 0 ? null : new ChargeDeletion(store, charge, customerId, Times.format(deletedAt));
    }
  }
}
