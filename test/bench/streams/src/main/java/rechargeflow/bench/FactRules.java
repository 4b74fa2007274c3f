package rechargeflow.bench;

import java.util.List;

/**
 * Drafts the facts of a webhook: what happened and is tracked only if a store asks for it. Left out are failed attempts, final
 * failures and refunds of charges, and subscriptions that expire: no input has them.
 */
final class FactRules {
  private static final String SWAPPED = "swapped";
  private static final long SWAPPED_LATELY = 60 * Times.SECOND;

  private final FactIds ids;

  FactRules(FactIds ids) {
    this.ids = ids;
  }

  void apply(Input in, CustomerState k, Before before, Charge charge, List<Event> facts) {
    Webhook w = in.webhook;
    if (w.subscription != null) {
      Previous previous = Previous.of(before.subscription(), w.subscription);
      happening(in, before, previous, facts);
      changes(in, k, previous, facts);
    } else if (in.topic.equals("charge/upcoming")) {
      upcoming(in, k, charge, facts);
    } else if (w.order != null) {
      order(in, w.order, facts);
    }
  }

  /** Drafts what the topic of a subscription says. */
  private void happening(Input in, Before before, Previous previous, List<Event> facts) {
    String id = in.webhook.subscription.id;
    long updated = Times.parse(in.webhook.subscription.updatedAt);
    switch (in.topic) {
      case "subscription/paused", "subscription/skipped", "subscription/unskipped" -> {
        String status = in.topic.substring("subscription/".length());
        subscription(in, status, ids.id(in.store, in.topic, id, ids.changed(in, updated)), previous, facts);
      }
      case "subscription/activated" -> {
        if (before.paused()) {
          String activation = ids.id(in.store, Event.SUBSCRIPTION, "activated", id, ids.changed(in, updated));
          subscription(in, "resumed", activation, previous, facts);
        }
      }
      default -> { }
    }
  }

  /** Drafts what a newer snapshot changed, whatever its topic: another product is a swap, anything else a change. */
  private void changes(Input in, CustomerState k, Previous previous, List<Event> facts) {
    if (in.topic.equals("subscription/created") || in.topic.equals("subscription/deleted")) {
      return;
    }
    String id = in.webhook.subscription.id;
    long updated = Times.parse(in.webhook.subscription.updatedAt);
    long at = Times.first(updated, in.receivedAt);
    SubscriptionState is = k.subscription(id);
    if (previous.hasProduct() || in.topic.equals("subscription/swapped") && at > is.last(SWAPPED) + SWAPPED_LATELY) {
      subscription(in, SWAPPED, ids.id(in.store, "subscription_swapped", id, ids.changed(in, updated)), previous, facts);
      k.changed |= is.happened(SWAPPED, at);
    }
    if (previous.hasOther()) {
      subscription(in, "changed", ids.id(in.store, "subscription_changed", id, ids.changed(in, updated)), previous, facts);
    }
  }

  private void subscription(Input in, String status, String what, Previous previous, List<Event> facts) {
    Webhook.Subscription s = in.webhook.subscription;
    long at = Times.first(Times.parse(s.updatedAt), in.receivedAt);
    facts.add(fact(in, Event.SUBSCRIPTION, status, what, at, out -> {
      EventBodies.subscription(out, s);
      previous.write(out);
    }));
  }

  /** Drafts an upcoming charge, once per day that it is moved to. */
  private void upcoming(Input in, CustomerState k, Charge charge, List<Event> facts) {
    Previous previous = Previous.of(k.charge(charge.body.id), charge);
    String what = ids.id(in.store, "charge_upcoming", charge.body.id, Text.orEmpty(charge.scheduledDate));
    facts.add(fact(in, Event.CHARGE, "upcoming", what, Times.first(charge.updatedAt, in.receivedAt), out -> {
      charge.write(out);
      previous.write(out);
    }));
  }

  private void order(Input in, Webhook.Order o, List<Event> facts) {
    long updated = Times.first(Times.parse(o.updatedAt), in.receivedAt);
    if (in.topic.equals("order/upcoming")) {
      String what = ids.id(in.store, "order_upcoming", o.id, Text.orEmpty(Times.day(o.scheduledAt)));
      facts.add(fact(in, Event.CHARGE, "upcoming", what, updated, out -> Order.write(out, o)));
    } else if (in.topic.equals("order/processed")) {
      String what = ids.id(in.store, "order_processed", o.id);
      long at = Times.first(Times.parse(o.processedAt), updated);
      facts.add(fact(in, Event.CHARGE, "order_processed", what, at, out -> Order.write(out, o)));
    }
  }

  /** Returns a fact. what is the id of what happened. */
  private Event fact(Input in, String type, String status, String what, long at, Event.Body body) {
    return new Event(ids.id(in.store, "fact", status, what), type, status, at, null, body);
  }
}
