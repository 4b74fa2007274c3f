package rechargeflow.bench;

import java.util.Set;

/** Tells why a subscription was canceled. */
final class Cancellation {
  private static final String VOLUNTARY = "voluntary";
  private static final String INVOLUNTARY = "involuntary";
  private static final Set<String> DUNNING_REASONS =
      Set.of("Max Number of Charge attempts reached", "Failed Payment Flow max retries", "Failed Payments");

  private Cancellation() {}

  /** Returns the kind of a cancellation, null unless the subscription is canceled. */
  static String of(Webhook.Subscription s) {
    if (Text.orNull(s.cancelledAt) == null && !SubscriptionState.CANCELLED.equals(Text.lower(s.status))) {
      return null;
    }
    boolean dunned = s.cancellationReason != null && DUNNING_REASONS.contains(s.cancellationReason);
    return s.maxRetriesReached || dunned ? INVOLUNTARY : VOLUNTARY;
  }
}
