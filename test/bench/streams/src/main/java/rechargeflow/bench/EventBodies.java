package rechargeflow.bench;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.List;

/** Writes the objects of events. Empty texts, zeros and absent times are left out. */
final class EventBodies {
  private EventBodies() {}

  static void text(JsonGenerator out, String name, String value) throws IOException {
    if (value != null && !value.isEmpty()) {
      out.writeStringField(name, value);
    }
  }

  static void number(JsonGenerator out, String name, int value) throws IOException {
    if (value != 0) {
      out.writeNumberField(name, value);
    }
  }

  static void time(JsonGenerator out, String name, long value) throws IOException {
    if (value != 0) {
      out.writeStringField(name, Times.format(value));
    }
  }

  static void subscription(JsonGenerator out, Webhook.Subscription s) throws IOException {
    out.writeObjectFieldStart("subscription");
    out.writeStringField("id", s.id);
    text(out, "address_id", s.addressId);
    text(out, "source_status", Text.lower(s.status));
    text(out, "product_id", Webhook.External.id(s.externalProductId));
    text(out, "variant_id", Webhook.External.id(s.externalVariantId));
    text(out, "sku", s.sku);
    text(out, "product_title", s.productTitle);
    text(out, "variant_title", s.variantTitle);
    text(out, "price", s.price);
    text(out, "currency", s.presentmentCurrency);
    number(out, "quantity", s.quantity);
    text(out, "interval_unit", Text.lower(s.orderIntervalUnit));
    number(out, "order_interval", s.orderIntervalFrequency);
    number(out, "charge_interval", s.chargeIntervalFrequency);
    text(out, "next_charge_date", Times.day(s.nextChargeScheduledAt));
    out.writeBooleanField("is_prepaid", s.isPrepaid);
    time(out, "created_at", Times.parse(s.createdAt));
    time(out, "updated_at", Times.parse(s.updatedAt));
    time(out, "canceled_at", Times.parse(s.cancelledAt));
    text(out, "cancellation", Cancellation.of(s));
    text(out, "cancellation_reason", s.cancellationReason);
    text(out, "cancellation_reason_comments", s.cancellationReasonComments);
    out.writeEndObject();
  }

  /** Writes the customer of the object; missing fields are taken from the state. */
  static void customer(JsonGenerator out, Webhook.Customer c, CustomerState.Profile was, CustomerState is, List<String> changed)
      throws IOException {
    boolean named = Text.orNull(c.firstName) != null || Text.orNull(c.lastName) != null;
    out.writeObjectFieldStart("customer");
    if (!changed.isEmpty()) {
      out.writeArrayFieldStart("changed");
      for (String name : changed) {
        out.writeString(name);
      }
      out.writeEndArray();
    }
    if (changed.contains("email")) {
      text(out, "old_email", was.email());
    }
    text(out, "platform_id", Text.first(Webhook.External.id(c.externalCustomerId), is.platformId));
    text(out, "email", Text.first(Text.email(c.email), is.email));
    text(out, "first_name", named ? c.firstName : is.firstName);
    text(out, "last_name", named ? c.lastName : is.lastName);
    text(out, "phone", c.phone == null ? is.phone : c.phone);
    if (c.subscriptionsActiveCount != null) {
      out.writeNumberField("active_subscriptions", c.subscriptionsActiveCount);
      out.writeNumberField("total_subscriptions", c.subscriptionsTotalCount);
    }
    time(out, "created_at", Times.parse(c.createdAt));
    out.writeEndObject();
  }

  static void property(JsonGenerator out, boolean value) throws IOException {
    out.writeObjectFieldStart("property");
    out.writeStringField("name", ActiveProperty.NAME);
    out.writeBooleanField("value", value);
    out.writeEndObject();
  }
}
