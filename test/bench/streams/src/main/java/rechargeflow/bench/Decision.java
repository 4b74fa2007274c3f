package rechargeflow.bench;

import java.util.ArrayList;
import java.util.List;

/** What one webhook changes and publishes. The state is changed in place. */
final class Decision {
  final List<Event> events = new ArrayList<>(3);
  final List<Event> facts = new ArrayList<>(1);
  Row.Customer row; // null if it has not changed
  SubscriptionState subscription; // whose row has changed, or null
  Charge charge; // whose row has changed, or null
  String removedCharge; // the id of a charge whose row is removed, or null
  Owner owner; // null for none
  ChargeOwner chargeOwner; // null for none

  boolean isEmpty() {
    return events.isEmpty() && facts.isEmpty() && row == null && subscription == null && charge == null
        && removedCharge == null && owner == null && chargeOwner == null;
  }

  /** Compares the rows of customer and subscription. */
  void compare(Before before, Row.Customer after, SubscriptionState s) {
    row = after == null || after.same(before.row()) ? null : after;
    subscription = s == null || Row.same(before.subscription(), s) ? null : s;
  }

  /** Publishes an owner record, if none was published lately. */
  void noteOwner(Input in, CustomerState k, SubscriptionState s) {
    if (s.ownerSentAt != 0 && in.receivedAt < s.ownerSentAt + Owner.EVERY) {
      return;
    }
    s.ownerSentAt = in.receivedAt;
    k.changed = true;
    owner = new Owner(in.store, s.id, in.customerId, Times.format(Times.first(s.updatedAt, in.receivedAt)));
  }
}
