package rechargeflow.bench;

import java.io.IOException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;

/** A raw record: its headers, its place, and the decoded webhook. */
final class Input {
  static final String SOURCE = "source";

  final Record<byte[], byte[]> record;
  final RecordMetadata place;
  final String topic; // of the webhook
  final Header storeHeader;
  final Header receivedHeader;
  final Header traceHeader;
  final Header sourceHeader;
  final String source; // how the record entered
  final String store;
  final String received;
  final long receivedAt;
  Webhook webhook;
  String customerId;

  Input(Record<byte[], byte[]> record, RecordMetadata place) {
    this.record = record;
    this.place = place;
    Headers headers = record.headers();
    topic = text(headers.lastHeader("recharge_topic"));
    storeHeader = headers.lastHeader("store");
    receivedHeader = headers.lastHeader("received_at");
    traceHeader = headers.lastHeader("traceparent");
    Header entered = headers.lastHeader(SOURCE);
    sourceHeader = entered == null ? new RecordHeader(SOURCE, new byte[0]) : entered;
    source = text(sourceHeader);
    store = text(storeHeader);
    received = text(receivedHeader);
    receivedAt = Times.parse(received);
  }

  /** Reports whether the webhook says that a charge was deleted. */
  boolean isChargeDeleted() {
    return topic.equals("charge/deleted");
  }

  /** Reports whether webhooks of the topic can produce output. */
  boolean isUsed() {
    return switch (topic) {
      case "subscription/created", "subscription/activated", "subscription/cancelled", "subscription/deleted",
          "subscription/updated", "subscription/paused", "subscription/skipped", "subscription/unskipped", "subscription/swapped",
          "charge/created", "charge/paid", "charge/upcoming", "charge/failed", "charge/max_retries_reached",
          "charge/refunded", "charge/updated", "charge/uncaptured", "charge/deleted",
          "order/upcoming", "order/processed", "order/created",
          "customer/created", "customer/updated", "customer/activated", "customer/deactivated" -> true;
      default -> false;
    };
  }

  void decode() throws IOException {
    webhook = Json.WEBHOOK.readValue(record.value());
    customerId = webhook.customerId();
  }

  /** Returns the customer object of the webhook's customer, null for none or another one. */
  Webhook.Customer customer() {
    Webhook.Customer c = webhook.customer;
    return c != null && customerId.equals(c.id) ? c : null;
  }

  String key() {
    return store + "/" + customerId;
  }

  private static String text(Header header) {
    return header == null ? "" : Text.of(header.value());
  }
}
