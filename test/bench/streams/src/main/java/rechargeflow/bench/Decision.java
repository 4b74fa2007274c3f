package rechargeflow.bench;

import java.util.ArrayList;
import java.util.List;

/** What one webhook changes and publishes. The state is changed in place. */
final class Decision {
  final List<Event> events = new ArrayList<>(3);
  Row.Customer row; // null if it has not changed
  SubscriptionState subscription; // whose row has changed, or null
  Owner owner; // null for none

  /** Decides on a webhook. It returns null if the customer's e-mail is unknown, which would be a dead letter. */
  static Decision of(Input in, CustomerState k, Rules rules, ActiveProperty property, Facts facts) {
    Decision d = new Decision();
    Webhook.Subscription s = in.webhook.subscription;
    Row.Customer rowBefore = Row.Customer.of(k);
    SubscriptionState before = s == null ? null : k.subscription(s.id);
    CustomerState.Profile was = k.profile();

    CustomerUpdate.apply(k, in);
    if (s != null) {
      Snapshot.apply(k, in, facts);
    }
    rules.apply(in, k, d.events);
    rules.customerChange(in, was, k, d.events);
    d.events.removeIf(e -> k.hasEmitted(e.id()));
    if (!d.events.isEmpty() && k.email == null) {
      return null;
    }
    String month = in.received.substring(0, "2006-01".length());
    for (Event e : d.events) {
      k.addEmitted(e.id(), month);
    }
    property.apply(in, k, d.events);

    if (s != null) {
      d.noteOwner(in, k, k.subscription(s.id));
      SubscriptionState after = k.subscription(s.id);
      d.subscription = Row.same(before, after) ? null : after;
    }
    Row.Customer rowAfter = Row.Customer.of(k);
    d.row = rowAfter == null || rowAfter.equals(rowBefore) ? null : rowAfter;
    return d;
  }

  /** Publishes an owner record, if none was published lately. */
  private void noteOwner(Input in, CustomerState k, SubscriptionState s) {
    if (s.ownerSentAt != 0 && in.receivedAt < s.ownerSentAt + Owner.EVERY) {
      return;
    }
    s.ownerSentAt = in.receivedAt;
    k.changed = true;
    owner = new Owner(in.store, s.id, in.customerId, Times.format(Times.first(s.updatedAt, in.receivedAt)));
  }
}
