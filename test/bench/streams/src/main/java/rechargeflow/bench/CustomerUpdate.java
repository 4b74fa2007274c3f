package rechargeflow.bench;

import java.util.Objects;

/** Applies what a webhook says about its customer to their state. */
final class CustomerUpdate {
  private CustomerUpdate() {}

  static void apply(CustomerState k, Input in) {
    if (in.customer() != null) {
      object(k, in.topic, in.customer(), in.receivedAt);
    }
    Webhook w = in.webhook;
    if (w.subscription != null) {
      Webhook.Subscription s = w.subscription;
      String email = email(s.email, s.customer);
      mention(k, email, null, null, null, Times.first(Times.parse(s.updatedAt), in.receivedAt));
    } else if (w.charge != null) {
      Webhook.Charge c = w.charge;
      mention(k, email(c.email, c.customer), hash(c.customerHash, c.customer), c.billingAddress, c.shippingAddress,
          Times.first(Times.parse(c.updatedAt), in.receivedAt));
    } else if (w.order != null) {
      Webhook.Order o = w.order;
      mention(k, email(o.email, o.customer), hash(o.hash, o.customer), o.billingAddress, o.shippingAddress,
          Times.first(Times.parse(o.updatedAt), in.receivedAt));
    }
  }

  private static String email(String own, Webhook.Reference customer) {
    String email = Text.email(own);
    return email != null || customer == null ? email : Text.email(customer.email);
  }

  private static String hash(String own, Webhook.Reference customer) {
    return Text.first(own, customer == null ? null : customer.hash);
  }

  /** Applies a customer object: each part for which no newer one was received. */
  private static void object(CustomerState k, String topic, Webhook.Customer c, long receivedAt) {
    long at = Times.first(Times.parse(c.updatedAt), receivedAt);
    count(k, c, at);
    meet(k, topic, at);
    email(k, c, at);
    parts(k, c, at);
    if (at > k.updatedAt) {
      k.updatedAt = at;
      k.changed = true;
    }
    long created = Times.parse(c.createdAt);
    if (created != 0 && (k.createdAt == 0 || created < k.createdAt)) {
      k.createdAt = created;
      k.changed = true;
    }
  }

  private static void count(CustomerState k, Webhook.Customer c, long at) {
    if (c.subscriptionsActiveCount == null) {
      return;
    }
    CustomerState.Count count = new CustomerState.Count(c.subscriptionsActiveCount, c.subscriptionsTotalCount, at);
    if (count.newerThan(k.count)) {
      k.count = count;
      k.changed = true;
    }
  }

  private static void meet(CustomerState k, String topic, long at) {
    if (k.seen) {
      return;
    }
    if (!topic.equals("customer/created")) {
      k.firstAt = k.mentionedAt != 0 && k.mentionedAt < at ? k.mentionedAt : at;
    }
    k.seen = true;
    k.changed = true;
  }

  private static void email(CustomerState k, Webhook.Customer c, long at) {
    String email = Text.email(c.email);
    boolean known = k.email != null && k.mentionedAt == 0;
    if (email == null || !newer(known, at, k.updatedAt, email, k.email)) {
      return;
    }
    k.changed |= !known || !email.equals(k.email);
    k.email = email;
    k.mentionedAt = 0;
  }

  private static void parts(CustomerState k, Webhook.Customer c, long at) {
    String name = name(c.firstName, c.lastName);
    String knownName = name(k.firstName, k.lastName);
    if (name != null && newer(knownName != null, at, k.updatedAt, name, knownName)) {
      k.changed |= !name.equals(knownName);
      k.firstName = Text.orNull(c.firstName);
      k.lastName = Text.orNull(c.lastName);
    }
    if (c.phone != null && newer(k.phoneKnown, at, k.updatedAt, c.phone, k.phone)) {
      k.changed |= !k.phoneKnown || !Objects.equals(Text.orNull(c.phone), k.phone);
      k.phone = Text.orNull(c.phone);
      k.phoneKnown = true;
    }
    String platformId = Webhook.External.id(c.externalCustomerId);
    if (platformId != null && newer(k.platformId != null, at, k.updatedAt, platformId, k.platformId)) {
      k.changed |= !platformId.equals(k.platformId);
      k.platformId = platformId;
    }
    String hash = Text.orNull(c.hash);
    if (hash != null && newer(k.hash != null, at, k.updatedAt, hash, k.hash)) {
      k.changed |= !hash.equals(k.hash);
      k.hash = hash;
    }
  }

  private static String name(String first, String last) {
    return first == null && last == null ? null : Text.orNull((first == null ? "" : first) + "\0" + (last == null ? "" : last));
  }

  /** Applies an object that only mentions the customer: what no customer object has. */
  private static void mention(CustomerState k, String email, String hash, Webhook.Address billing, Webhook.Address shipping, long at) {
    if (email != null && (k.email == null || k.mentionedAt != 0 && newer(true, at, k.mentionedAt, email, k.email))) {
      k.email = email;
      k.mentionedAt = at;
      k.changed = true;
    }
    if (k.hash == null && hash != null) {
      k.hash = hash;
      k.changed = true;
    }
    if (!k.addressSeen && Webhook.Address.country(shipping) != null) {
      k.addressSeen = true;
      k.changed = true;
    }
    if (Webhook.Address.country(billing) != null) {
      address(k, billing, at);
    }
  }

  private static void address(CustomerState k, Webhook.Address a, long at) {
    String country = Webhook.Address.country(a);
    String all = String.join("\0", country, String.valueOf(a.province), String.valueOf(a.zip));
    String known = String.join("\0", String.valueOf(k.country), String.valueOf(k.province), String.valueOf(k.zip));
    if (newer(k.country != null, at, k.addressAt, all, known)) {
      k.country = country;
      k.province = a.province;
      k.zip = a.zip;
      k.addressAt = at;
      k.changed = true;
    }
  }

  /** Orders two texts by time; with the same time, the one that sorts last is newer. */
  private static boolean newer(boolean known, long at, long knownAt, String text, String knownText) {
    return !known || at > knownAt || at == knownAt && Text.greater(text, knownText);
  }
}
