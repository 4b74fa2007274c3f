package rechargeflow.bench;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.Arrays;
import java.util.Iterator;
import java.util.TreeMap;

/** What is known of one customer: one row of the store. */
@JsonInclude(JsonInclude.Include.NON_DEFAULT)
final class CustomerState {
  public boolean seen;
  public long firstAt;
  public String email;
  public String firstName;
  public String lastName;
  public String phone;
  public boolean phoneKnown;
  public String platformId;
  public String hash;
  public String country;
  public String province;
  public String zip;
  public long addressAt;
  public boolean addressSeen;
  public long createdAt;
  public long updatedAt;
  public long mentionedAt;
  public Count count;
  public Property property;
  public boolean activated;
  public TreeMap<String, SubscriptionState> subscriptions;
  public TreeMap<String, ChargeState> charges; // that are open or were lately closed
  public long chargesExpiredTo; // the time of the newest one that is not stored any more
  public int orders; // charges that were paid
  public TreeMap<String, long[]> emitted; // by the month of the first receipt

  /** Set with each change, so that only changed rows are written. */
  @JsonIgnore public boolean changed;

  /** The numbers of subscriptions in a customer object, and its time. */
  record Count(int active, int total, long at) {
    boolean newerThan(Count other) {
      if (other == null || at != other.at) {
        return other == null || at > other.at;
      }
      return active < other.active || active == other.active && total < other.total;
    }
  }

  /** The last published recharge_subscription_active. */
  record Property(boolean value, long at, String to) {}

  /** The fields that a customer_change compares. */
  record Profile(boolean seen, long firstAt, String email, String firstName, String lastName, String phone,
      boolean phoneKnown, String platformId, long updatedAt, long mentionedAt) {}

  Profile profile() {
    return new Profile(seen, firstAt, email, firstName, lastName, phone, phoneKnown, platformId, updatedAt, mentionedAt);
  }

  SubscriptionState subscription(String id) {
    return subscriptions == null ? null : subscriptions.get(id);
  }

  void put(SubscriptionState s) {
    if (subscriptions == null) {
      subscriptions = new TreeMap<>();
    }
    subscriptions.put(s.id, s);
    changed = true;
  }

  ChargeState charge(String id) {
    return charges == null ? null : charges.get(id);
  }

  /** Stores a charge, and removes those that are expired. */
  void put(String id, ChargeState c, long receivedAt) {
    if (charges == null) {
      charges = new TreeMap<>();
    }
    if (c.isUnseen()) {
      c.at = receivedAt;
    }
    charges.put(id, c);
    for (Iterator<ChargeState> all = charges.values().iterator(); all.hasNext();) {
      ChargeState each = all.next();
      if (each.expired(receivedAt)) {
        if (!each.isUnseen()) {
          chargesExpiredTo = Math.max(chargesExpiredTo, each.at);
        }
        all.remove();
      }
    }
    changed = true;
  }

  boolean hasEmitted(String id) {
    if (emitted == null) {
      return false;
    }
    long shortId = FactIds.shortId(id);
    for (long[] month : emitted.values()) {
      for (long each : month) {
        if (each == shortId) {
          return true;
        }
      }
    }
    return false;
  }

  void addEmitted(String id, String month) {
    if (emitted == null) {
      emitted = new TreeMap<>();
    }
    long[] ids = emitted.getOrDefault(month, new long[0]);
    long[] more = Arrays.copyOf(ids, ids.length + 1);
    more[ids.length] = FactIds.shortId(id);
    emitted.put(month, more);
    changed = true;
  }
}
