package rechargeflow.bench;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;

/**
 * A tracking event, or a fact, without its customer, who is the same for all of a webhook. email is that of the profile before
 * the customer's e-mail changed, null for the customer's own.
 */
record Event(String id, String type, String status, long at, String formerEmail, Body body) {
  static final String SUBSCRIPTION = "subscription";
  static final String CHARGE = "subscription_charge";
  static final String CUSTOMER_CHANGE = "customer_change";
  static final String PROPERTY = "customer_property";

  /** Writes the object of the event, with its name. */
  interface Body {
    void write(JsonGenerator out) throws IOException;
  }
}
