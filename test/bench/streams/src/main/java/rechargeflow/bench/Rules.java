package rechargeflow.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** Drafts the events of a webhook. */
final class Rules {
  private final FactIds ids;

  Rules(FactIds ids) {
    this.ids = ids;
  }

  void apply(Input in, CustomerState k, Charge charge, List<Event> events) {
    switch (in.topic) {
      case "subscription/created", "subscription/activated", "subscription/cancelled", "subscription/deleted" ->
          subscription(in, k, events);
      case "charge/created" -> {
        charge(in, "created", charge, Times.first(charge.createdAt, in.receivedAt), events);
        if ("success".equals(charge.status)) {
          paid(in, charge, events);
        }
      }
      case "charge/paid" -> paid(in, charge, events);
      case "customer/activated" -> {
        k.changed |= !k.activated;
        k.activated = true;
      }
      default -> { }
    }
  }

  private void subscription(Input in, CustomerState k, List<Event> events) {
    Webhook.Subscription s = in.webhook.subscription;
    long updated = Times.parse(s.updatedAt);
    switch (in.topic) {
      case "subscription/created" ->
          subscription(in, "created", Times.first(Times.parse(s.createdAt), in.receivedAt), "", events);
      case "subscription/activated" ->
          subscription(in, "activated", Times.first(updated, in.receivedAt), ids.changed(in, updated), events);
      case "subscription/cancelled" -> {
        long at = Times.first(Times.parse(s.cancelledAt), updated);
        subscription(in, "canceled", Times.first(at, in.receivedAt), ids.changed(in, at - at % Times.SECOND), events);
      }
      default -> {
        SubscriptionState known = k.subscription(s.id);
        subscription(in, "deleted", Times.first(known == null ? 0 : known.last("deleted"), in.receivedAt), "", events);
      }
    }
  }

  private void subscription(Input in, String status, long at, String discriminator, List<Event> events) {
    Webhook.Subscription s = in.webhook.subscription;
    String id = ids.id(in.store, Event.SUBSCRIPTION, status, s.id, discriminator);
    events.add(new Event(id, Event.SUBSCRIPTION, status, at, null, out -> EventBodies.subscription(out, s)));
  }

  private void paid(Input in, Charge charge, List<Event> events) {
    charge(in, "paid", charge, Times.first(charge.processedAt, charge.updatedAt, in.receivedAt), events);
  }

  private void charge(Input in, String status, Charge charge, long at, List<Event> events) {
    String id = ids.id(in.store, Event.CHARGE, status, charge.body.id);
    events.add(new Event(id, Event.CHARGE, status, at, null, charge::write));
  }

  /** Drafts a customer_change if the webhook is the first to show other data, or an update of a customer not known before. */
  void customerChange(Input in, CustomerState.Profile was, CustomerState is, List<Event> events) {
    Webhook.Customer c = in.customer();
    if (c == null || is.platformId == null) {
      return;
    }
    long updated = Times.parse(c.updatedAt);
    long at = Times.first(updated, in.receivedAt);
    List<String> changed = at < was.updatedAt() ? List.of() : differences(was, is);
    if (changed.isEmpty() && !(in.topic.equals("customer/updated") && unmet(was, at))) {
      return;
    }
    String id = ids.id(in.store, Event.CUSTOMER_CHANGE, "", c.id, ids.changed(in, updated));
    events.add(new Event(id, Event.CUSTOMER_CHANGE, null, at, null, out -> EventBodies.customer(out, c, was, is, changed)));
  }

  private static List<String> differences(CustomerState.Profile was, CustomerState is) {
    List<String> changed = new ArrayList<>(0);
    different(changed, "email", was.email() != null, was.email(), is.email);
    different(changed, "first_name", was.seen(), was.firstName(), is.firstName);
    different(changed, "last_name", was.seen(), was.lastName(), is.lastName);
    different(changed, "phone", was.phoneKnown(), was.phone(), is.phone);
    different(changed, "platform_id", was.seen(), was.platformId(), is.platformId);
    return changed;
  }

  private static void different(List<String> changed, String name, boolean known, String was, String is) {
    if (known && !Objects.equals(was, is)) {
      changed.add(name);
    }
  }

  /** Reports whether no customer data older than at was known. */
  private static boolean unmet(CustomerState.Profile was, long at) {
    if (was.seen()) {
      return at <= was.firstAt();
    }
    return was.email() == null || at <= was.mentionedAt();
  }
}
