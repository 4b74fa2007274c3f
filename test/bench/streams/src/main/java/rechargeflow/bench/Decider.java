package rechargeflow.bench;

import java.io.IOException;
import java.util.List;

/** Decides on webhooks, given the states of their customers. One thread at a time. */
final class Decider {
  private final FactIds ids = new FactIds();
  private final Rules rules = new Rules(ids);
  private final FactRules facts = new FactRules(ids);
  private final ChargeTable charges = new ChargeTable(ids);
  private final ActiveProperty property = new ActiveProperty(ids);

  /** Decides on a webhook. It returns null if the customer's e-mail is unknown, which would be a dead letter. */
  Decision decide(Input in, CustomerState k) throws IOException {
    Before before = Before.of(k, in.webhook);
    Decision d = new Decision();
    draft(in, k, before, d);
    d.events.removeIf(e -> k.hasEmitted(e.id()));
    d.facts.removeIf(e -> k.hasEmitted(e.id()));
    if (!d.events.isEmpty() && k.email == null) {
      return null;
    }
    emitted(in, k, d.events);
    emitted(in, k, d.facts);
    property.apply(in, k, d.events);

    SubscriptionState s = in.webhook.subscription == null ? null : k.subscription(in.webhook.subscription.id);
    if (s != null) {
      d.noteOwner(in, k, s);
    }
    d.compare(before, Row.Customer.of(k), s);
    return d;
  }

  private void draft(Input in, CustomerState k, Before before, Decision d) throws IOException {
    Webhook w = in.webhook;
    CustomerUpdate.apply(k, in);
    if (w.subscription != null) {
      Snapshot.apply(k, in, ids);
    }
    charges.count(in, k);
    Charge charge = w.charge == null || in.isChargeDeleted() ? null : new Charge(w.charge, k.charge(w.charge.id));
    rules.apply(in, k, charge, d.events);
    facts.apply(in, k, before, charge, d.facts);
    charges.apply(in, k, charge, d);
    rules.customerChange(in, before.profile(), k, d.events);
  }

  private static void emitted(Input in, CustomerState k, List<Event> list) {
    String month = in.received.substring(0, "2006-01".length());
    for (Event e : list) {
      k.addEmitted(e.id(), month);
    }
  }
}
