package rechargeflow.bench;

import java.util.List;

/** The property recharge_subscription_active: whether any subscription of a customer is active. */
final class ActiveProperty {
  static final String NAME = "recharge_subscription_active";

  private final FactIds ids;

  ActiveProperty(FactIds ids) {
    this.ids = ids;
  }

  /** A value and since when it holds. */
  record Since(boolean value, long at) {}

  /** Returns the value, null if it is unknown. A count in a customer object decides if it is newer than each subscription. */
  static Since of(CustomerState k) {
    long newest = 0;
    long changed = 0;
    boolean some = false;
    if (k.subscriptions != null) {
      for (SubscriptionState s : k.subscriptions.values()) {
        newest = Math.max(newest, s.exists() ? s.updatedAt : Times.first(s.last("deleted"), s.updatedAt));
        changed = Math.max(changed, s.updatedAt);
        some |= s.status.equals(SubscriptionState.ACTIVE);
      }
    }
    CustomerState.Count count = k.count;
    if (count != null && count.at() > newest) {
      return new Since(count.active() > 0, count.at());
    }
    if (some) {
      return new Since(true, changed);
    }
    if (count != null && count.at() >= newest) {
      return new Since(count.active() > 0, count.at());
    }
    if (count != null && count.active() == 0 && count.at() >= changed) {
      return new Since(false, newest > changed ? Math.max(changed, k.updatedAt) + Times.MICROSECOND : changed);
    }
    return null;
  }

  /** Publishes the property if its value or the customer's e-mail has changed. */
  void apply(Input in, CustomerState k, List<Event> events) {
    Since now = of(k);
    if (now == null || k.email == null) {
      return;
    }
    long at = now.at();
    CustomerState.Property last = k.property;
    if (last == null || !last.to().equals(k.email)) {
      if (last != null && last.value()) {
        set(in, k, false, at, last.to(), true, events);
      }
      at = Math.max(at, Times.first(k.mentionedAt, k.updatedAt));
    }
    last = k.property;
    if (last == null || last.value() != now.value() || !last.to().equals(k.email)) {
      set(in, k, now.value(), at, k.email, false, events);
    }
  }

  /** Publishes a value with a time in microseconds, later than the last one. */
  private void set(Input in, CustomerState k, boolean value, long since, String to, boolean former, List<Event> events) {
    long at = since - since % Times.MICROSECOND;
    if (k.property != null && at <= k.property.at()) {
      at = k.property.at() + Times.MICROSECOND;
    }
    k.property = new CustomerState.Property(value, at, to);
    k.changed = true;
    String id = ids.id(in.store, Event.PROPERTY, NAME, Boolean.toString(value), Times.format(at), to);
    events.add(new Event(id, Event.PROPERTY, null, at, former ? to : null, out -> EventBodies.property(out, value)));
  }
}
