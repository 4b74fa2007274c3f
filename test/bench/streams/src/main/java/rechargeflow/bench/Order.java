package rechargeflow.bench;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;

/** Writes the orders of facts. */
final class Order {
  private Order() {}

  static void write(JsonGenerator out, Webhook.Order o) throws IOException {
    out.writeObjectFieldStart("order");
    out.writeStringField("id", o.id);
    EventBodies.text(out, "charge_id", o.chargeId());
    EventBodies.text(out, "address_id", o.addressId);
    EventBodies.text(out, "platform_order_id", Webhook.External.id(o.externalOrderId));
    EventBodies.text(out, "number", Webhook.External.id(o.externalOrderNumber));
    EventBodies.text(out, "type", Text.lower(o.type));
    out.writeBooleanField("is_prepaid", o.isPrepaid);
    EventBodies.text(out, "currency", o.currency);
    EventBodies.text(out, "total_price", o.totalPrice);
    EventBodies.text(out, "scheduled_date", Times.day(o.scheduledAt));
    EventBodies.time(out, "processed_at", Times.parse(o.processedAt));
    EventBodies.time(out, "created_at", Times.parse(o.createdAt));
    EventBodies.time(out, "updated_at", Times.parse(o.updatedAt));
    Items.write(out, o.lineItems);
    out.writeEndObject();
  }
}
