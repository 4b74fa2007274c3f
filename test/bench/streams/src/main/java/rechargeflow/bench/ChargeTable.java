package rechargeflow.bench;

import java.io.IOException;

/**
 * Applies the charge of a webhook, or the number of its order, to the state of the customer's charges. How many there are is not
 * limited: no input has 1000 of one customer.
 */
final class ChargeTable {
  private static final long FNV_OFFSET = 0xcbf29ce484222325L;
  private static final long FNV_PRIME = 0x100000001b3L;

  private final FactIds ids;
  private final JsonBuffer json = new JsonBuffer();

  ChargeTable(FactIds ids) {
    this.ids = ids;
  }

  /** Counts a charge that was paid, with the first webhook that shows it. */
  void count(Input in, CustomerState k) {
    Webhook.Charge c = in.webhook.charge;
    if (c == null || !ChargeState.isPaid(Text.lower(c.status))) {
      return;
    }
    ChargeState known = k.charge(c.id);
    if (known != null && known.counted || k.hasEmitted(ids.id(in.store, Event.CHARGE, "paid", c.id))) {
      return;
    }
    known = known == null ? new ChargeState() : known;
    known.counted = true;
    k.orders++;
    if (k.seen && k.firstAt == 0) { // nothing came before customer/created
      known.nthOrder = k.orders;
    }
    k.put(c.id, known, in.receivedAt);
  }

  /** Applies what a webhook says about a charge. */
  void apply(Input in, CustomerState k, Charge charge, Decision d) throws IOException {
    Webhook w = in.webhook;
    if (in.isChargeDeleted()) {
      d.removedCharge = delete(k, w.charge.id, in.receivedAt);
    } else if (charge != null) {
      snapshot(in, k, charge, d);
    } else if (w.order != null) {
      number(in, k, w.order);
    }
  }

  /** Stores the number of an order. */
  private static void number(Input in, CustomerState k, Webhook.Order o) {
    String number = Webhook.External.id(o.externalOrderNumber);
    if (o.chargeId() == null || number == null) {
      return;
    }
    ChargeState known = k.charge(o.chargeId());
    if (known == null || !number.equals(known.orderNumber)) {
      known = known == null ? new ChargeState() : known;
      known.orderNumber = number;
      k.put(o.chargeId(), known, in.receivedAt);
    }
  }

  /** Writes the row of a charge, unless a newer snapshot is known, or one that is expired may have been newer. */
  private void snapshot(Input in, CustomerState k, Charge charge, Decision d) throws IOException {
    ChargeState known = k.charge(charge.body.id);
    ChargeState next = ChargeState.of(charge, ids.shortDelivery(in), in.receivedAt);
    boolean unseen = known == null || known.isUnseen();
    if (unseen ? next.at <= k.chargesExpiredTo : !next.newerThan(known)) {
      return;
    }
    if (known != null) {
      next.keep(known);
    }
    next.row = hash(in, charge);
    if (unseen || next.row != known.row) {
      d.charge = charge;
    }
    if (!next.closed && !next.owned) {
      next.owned = true;
      d.chargeOwner = new ChargeOwner(in.store, charge.body.id, in.customerId, Times.format(next.at));
    }
    k.put(charge.body.id, next, in.receivedAt);
  }

  /** Deletes a charge, which is final; returns its id if it had a row. */
  static String delete(CustomerState k, String id, long receivedAt) {
    ChargeState known = k.charge(id);
    if (known != null && known.isDeleted()) {
      return null;
    }
    k.put(id, ChargeState.deleted(known == null ? receivedAt : Math.max(known.at, receivedAt)), receivedAt);
    return known == null || known.row == 0 ? null : id;
  }

  /** Returns the hash of a charge's row without its time stamp: FNV-1a. */
  private long hash(Input in, Charge charge) throws IOException {
    long hash = FNV_OFFSET;
    for (byte b : json.object(out -> Row.charge(out, in, charge, 0))) {
      hash = (hash ^ (b & 0xff)) * FNV_PRIME;
    }
    return hash;
  }
}
