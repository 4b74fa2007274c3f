package rechargeflow.bench;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;

/** A charge of a customer was deleted: the value of a record for the customer's state. */
record ChargeDeletion(String store, String chargeId, String customerId, String receivedAt) {
  static final String TYPE = "charge_deletion";
  static final String SOURCE = "charge_deleted";

  void write(JsonGenerator out) throws IOException {
    out.writeStringField("store", store);
    out.writeStringField("charge_id", chargeId);
    out.writeStringField("customer_id", customerId);
    out.writeStringField("received_at", receivedAt);
  }
}
