package rechargeflow.bench;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.Objects;

/** Rows of the public tables. */
final class Row {
  private Row() {}

  /** The customer's row. active is null if it is unknown. */
  record Customer(String email, String firstName, String lastName, String phone, String platformId, Boolean active,
      long createdAt, long updatedAt) {

    /** Returns the row of a state, null for none. */
    static Customer of(CustomerState k) {
      if (!k.seen && k.email == null && k.subscriptions == null) {
        return null;
      }
      ActiveProperty.Since active = ActiveProperty.of(k);
      return new Customer(k.email, k.firstName, k.lastName, k.phone, k.platformId, active == null ? null : active.value(),
          k.createdAt, k.updatedAt);
    }

    /** Compares all but the time stamp: a row is not written for that alone. */
    boolean same(Customer other) {
      return other != null && unstamped().equals(other.unstamped());
    }

    private Customer unstamped() {
      return new Customer(email, firstName, lastName, phone, platformId, active, createdAt, 0);
    }

    void write(JsonGenerator out, Input in) throws IOException {
      begin(out, in);
      EventBodies.text(out, "email", email);
      EventBodies.text(out, "first_name", firstName);
      EventBodies.text(out, "last_name", lastName);
      EventBodies.text(out, "phone", phone);
      EventBodies.text(out, "platform_id", platformId);
      if (active != null) {
        out.writeBooleanField("subscription_active", active);
      }
      EventBodies.time(out, "created_at", createdAt);
      EventBodies.time(out, "updated_at", updatedAt);
    }
  }

  /** Reports whether a subscription's row is the same before and after a webhook, but for its time stamp. */
  static boolean same(SubscriptionState a, SubscriptionState b) {
    boolean hadRow = a != null && a.exists();
    boolean hasRow = b != null && b.exists();
    if (a == b || !hadRow || !hasRow) {
      return hadRow == hasRow;
    }
    return a.createdAt == b.createdAt && a.canceledAt == b.canceledAt
        && a.quantity == b.quantity && a.orderInterval == b.orderInterval && a.chargeInterval == b.chargeInterval
        && a.prepaid == b.prepaid && a.status.equals(b.status) && sameTexts(a, b);
  }

  private static boolean sameTexts(SubscriptionState a, SubscriptionState b) {
    return Objects.equals(a.addressId, b.addressId) && Objects.equals(a.sourceStatus, b.sourceStatus)
        && Objects.equals(a.productId, b.productId) && Objects.equals(a.variantId, b.variantId)
        && Objects.equals(a.sku, b.sku) && Objects.equals(a.productTitle, b.productTitle)
        && Objects.equals(a.variantTitle, b.variantTitle) && Objects.equals(a.price, b.price)
        && Objects.equals(a.currency, b.currency) && Objects.equals(a.intervalUnit, b.intervalUnit)
        && Objects.equals(a.nextChargeDate, b.nextChargeDate)
        && Objects.equals(a.cancellation, b.cancellation)
        && Objects.equals(a.cancellationReason, b.cancellationReason)
        && Objects.equals(a.cancellationReasonComments, b.cancellationReasonComments);
  }

  /** Writes the row of a charge with a time stamp, 0 for none. */
  static void charge(JsonGenerator out, Input in, Charge c, long stamp) throws IOException {
    begin(out, in);
    c.row(out, stamp);
  }

  private static void begin(JsonGenerator out, Input in) throws IOException {
    out.writeStringField("store", in.store);
    out.writeStringField("recharge_customer_id", in.customerId);
  }

  static void subscription(JsonGenerator out, Input in, SubscriptionState s) throws IOException {
    begin(out, in);
    out.writeStringField("id", s.id);
    EventBodies.text(out, "address_id", s.addressId);
    EventBodies.text(out, "source_status", s.sourceStatus);
    EventBodies.text(out, "product_id", s.productId);
    EventBodies.text(out, "variant_id", s.variantId);
    EventBodies.text(out, "sku", s.sku);
    EventBodies.text(out, "product_title", s.productTitle);
    EventBodies.text(out, "variant_title", s.variantTitle);
    EventBodies.text(out, "price", s.price);
    EventBodies.text(out, "currency", s.currency);
    EventBodies.number(out, "quantity", s.quantity);
    EventBodies.text(out, "interval_unit", s.intervalUnit);
    EventBodies.number(out, "order_interval", s.orderInterval);
    EventBodies.number(out, "charge_interval", s.chargeInterval);
    EventBodies.text(out, "next_charge_date", s.nextChargeDate);
    out.writeBooleanField("is_prepaid", s.prepaid);
    EventBodies.time(out, "created_at", s.createdAt);
    EventBodies.time(out, "updated_at", s.updatedAt);
    EventBodies.time(out, "canceled_at", s.canceledAt);
    EventBodies.text(out, "cancellation", s.cancellation);
    EventBodies.text(out, "cancellation_reason", s.cancellationReason);
    EventBodies.text(out, "cancellation_reason_comments", s.cancellationReasonComments);
    out.writeStringField("status", s.publicStatus());
  }
}
