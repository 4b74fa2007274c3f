package rechargeflow.bench;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.Objects;

/** The values before a change; those that did not change, or are unknown, are null or 0. */
final class Previous {
  private String price;
  private int quantity;
  private String intervalUnit;
  private int orderInterval;
  private int chargeInterval;
  private String nextChargeDate;
  private String addressId;
  private String productId;
  private String variantId;
  private String sku;
  private String productTitle;
  private String variantTitle;
  private String scheduledDate;
  private String totalRefunds;

  private Previous() {}

  /** Returns what a newer snapshot of a subscription changed. */
  static Previous of(SubscriptionState was, Webhook.Subscription s) {
    Previous p = new Previous();
    long updated = Times.parse(s.updatedAt);
    if (was == null || !was.exists() || updated <= was.updatedAt) {
      return p;
    }
    p.terms(was, s);
    p.addressId = change(was.addressId, s.addressId);
    p.product(was, s);
    p.date(was.nextChargeDate, Times.day(s.nextChargeScheduledAt), updated);
    return p;
  }

  private void terms(SubscriptionState was, Webhook.Subscription s) {
    price = Amounts.same(was.price, s.price) ? null : change(was.price, s.price);
    quantity = change(was.quantity, s.quantity);
    intervalUnit = change(was.intervalUnit, Text.lower(s.orderIntervalUnit));
    orderInterval = change(was.orderInterval, s.orderIntervalFrequency);
    chargeInterval = change(was.chargeInterval, s.chargeIntervalFrequency);
  }

  private void product(SubscriptionState was, Webhook.Subscription s) {
    productId = change(was.productId, Webhook.External.id(s.externalProductId));
    variantId = change(was.variantId, Webhook.External.id(s.externalVariantId));
    if (hasProduct()) {
      sku = change(was.sku, s.sku);
      productTitle = change(was.productTitle, s.productTitle);
      variantTitle = change(was.variantTitle, s.variantTitle);
    }
  }

  /** A next charge that is past was made since, so another date is no change of the date. */
  private void date(String was, String is, long updated) {
    String changed = change(was, is);
    nextChargeDate = changed != null && Times.parse(changed) > updated ? changed : null;
  }

  /** Returns what a newer snapshot of a charge changed. */
  static Previous of(ChargeState was, Charge c) {
    Previous p = new Previous();
    if (was == null || c.updatedAt <= was.at) {
      return p;
    }
    p.scheduledDate = Objects.equals(was.scheduledDate, c.scheduledDate) ? null : was.scheduledDate;
    p.totalRefunds = Amounts.same(was.totalRefunds, c.body.totalRefunds) ? null : was.totalRefunds;
    return p;
  }

  private static String change(String was, String is) {
    return Text.orNull(was) == null || Text.orNull(is) == null || was.equals(is) ? null : was;
  }

  private static int change(int was, int is) {
    return is == 0 || was == is ? 0 : was;
  }

  /** Reports whether the product changed. */
  boolean hasProduct() {
    return productId != null || variantId != null;
  }

  /** Reports whether anything but the product changed. */
  boolean hasOther() {
    return price != null || quantity != 0 || intervalUnit != null || orderInterval != 0 || chargeInterval != 0
        || nextChargeDate != null || addressId != null;
  }

  /** Writes the object, unless nothing changed. */
  void write(JsonGenerator out) throws IOException {
    if (!hasProduct() && !hasOther() && scheduledDate == null && Text.orNull(totalRefunds) == null) {
      return;
    }
    out.writeObjectFieldStart("previous");
    EventBodies.text(out, "price", price);
    EventBodies.number(out, "quantity", quantity);
    EventBodies.text(out, "interval_unit", intervalUnit);
    EventBodies.number(out, "order_interval", orderInterval);
    EventBodies.number(out, "charge_interval", chargeInterval);
    EventBodies.text(out, "next_charge_date", nextChargeDate);
    EventBodies.text(out, "address_id", addressId);
    EventBodies.text(out, "product_id", productId);
    EventBodies.text(out, "variant_id", variantId);
    EventBodies.text(out, "sku", sku);
    EventBodies.text(out, "product_title", productTitle);
    EventBodies.text(out, "variant_title", variantTitle);
    EventBodies.text(out, "scheduled_date", scheduledDate);
    EventBodies.text(out, "total_refunds", totalRefunds);
    out.writeEndObject();
  }
}
