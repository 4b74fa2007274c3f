package rechargeflow.bench;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.List;

/**
 * The charge of a webhook as events, facts and the table show it, with what is known of its order. The kind of an error is left
 * out: no input has a charge that failed.
 */
final class Charge {
  final Webhook.Charge body;
  final String status;
  final String scheduledDate;
  final long processedAt;
  final long createdAt;
  final long updatedAt;
  private final long retryAt;
  private final String orderNumber;
  private final int nthOrder;

  Charge(Webhook.Charge body, ChargeState known) {
    this.body = body;
    status = Text.lower(body.status);
    scheduledDate = Times.day(body.scheduledAt);
    processedAt = Times.parse(body.processedAt);
    createdAt = Times.parse(body.createdAt);
    updatedAt = Times.parse(body.updatedAt);
    retryAt = Times.retry(body.retryDate);
    orderNumber = known == null ? null : known.orderNumber;
    nthOrder = known == null ? 0 : known.nthOrder;
  }

  /** Writes the object of an event. */
  void write(JsonGenerator out) throws IOException {
    out.writeObjectFieldStart("charge");
    members(out, updatedAt);
    out.writeEndObject();
  }

  /** Writes the members of a row with a time stamp, 0 for none. */
  void row(JsonGenerator out, long stamp) throws IOException {
    members(out, stamp);
    out.writeStringField("status", status == null ? "" : status);
  }

  private void members(JsonGenerator out, long stamp) throws IOException {
    out.writeStringField("id", body.id);
    EventBodies.text(out, "address_id", body.addressId);
    EventBodies.text(out, "source_status", status);
    EventBodies.text(out, "type", Text.lower(body.type));
    EventBodies.text(out, "platform_order_id", Webhook.External.id(body.externalOrderId));
    EventBodies.text(out, "order_number", orderNumber);
    EventBodies.number(out, "nth_order", nthOrder);
    amounts(out);
    discounts(out, body.discounts);
    EventBodies.text(out, "processor", body.paymentProcessor);
    EventBodies.text(out, "scheduled_date", scheduledDate);
    EventBodies.time(out, "processed_at", processedAt);
    EventBodies.text(out, "retry_date", Times.easternDay(retryAt));
    EventBodies.time(out, "retry_at", retryAt);
    EventBodies.number(out, "attempts", body.chargeAttempts);
    EventBodies.text(out, "error_type", Text.upper(body.errorType));
    EventBodies.time(out, "created_at", createdAt);
    EventBodies.time(out, "updated_at", stamp);
    Items.write(out, body.lineItems);
  }

  private void amounts(JsonGenerator out) throws IOException {
    EventBodies.text(out, "currency", body.currency);
    EventBodies.text(out, "total_price", body.totalPrice);
    EventBodies.text(out, "subtotal_price", body.subtotalPrice);
    EventBodies.text(out, "total_discounts", body.totalDiscounts);
    EventBodies.text(out, "total_tax", body.totalTax);
    EventBodies.text(out, "shipping_price", Amounts.sum(body.shippingLines));
    EventBodies.text(out, "total_refunds", body.totalRefunds);
  }

  private static void discounts(JsonGenerator out, List<Webhook.Discount> discounts) throws IOException {
    if (discounts == null || discounts.isEmpty()) {
      return;
    }
    out.writeArrayFieldStart("discounts");
    for (Webhook.Discount d : discounts) {
      out.writeStartObject();
      EventBodies.text(out, "code", d.code);
      EventBodies.text(out, "value", d.value);
      EventBodies.text(out, "type", Text.lower(d.valueType));
      out.writeEndObject();
    }
    out.writeEndArray();
  }
}
