package rechargeflow.bench;

/** What is compared after a webhook, as it was before: the state is changed in place. */
record Before(Row.Customer row, CustomerState.Profile profile, SubscriptionState subscription, boolean paused) {
  static Before of(CustomerState k, Webhook w) {
    SubscriptionState s = w.subscription == null ? null : k.subscription(w.subscription.id);
    return new Before(Row.Customer.of(k), k.profile(), s, s != null && s.isPaused());
  }
}
