package rechargeflow.bench;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.ByteArrayBuilder;
import java.io.IOException;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;

/** Writes the outputs of webhooks, with the same headers and values as the transformer. One thread at a time. */
final class Outputs {
  static final String EVENTS = "events";
  static final String CUSTOMERS = "customers";
  static final String SUBSCRIPTIONS = "subscriptions";
  static final String WEBHOOKS = "webhooks";
  private static final String OWNER = "subscription_owner";

  private static final JsonFactory JSON = Json.ROWS.getFactory();
  private static final Header SPEC_VERSION = header("ce_specversion", "1.0");
  private static final Header CONTENT_TYPE = header("content-type", "application/json");
  private static final Header SOURCE_OWNER = header("source", "owner");
  private static final int VALUE_BYTES = 2048;

  private final ProcessorContext<Target, byte[]> context;
  private final ByteArrayBuilder buffer = new ByteArrayBuilder(VALUE_BYTES);
  private final Map<String, Header> types = new TreeMap<>();
  private final Map<String, Header> schemas = new TreeMap<>();

  private Input in;
  private Header source;
  private Header subject;
  private Header rawTopic;
  private Header rawPartition;
  private Header rawOffset;

  Outputs(ProcessorContext<Target, byte[]> context) {
    this.context = context;
  }

  void write(Input input, CustomerState k, Decision d) throws IOException {
    if (d.events.isEmpty() && d.row == null && d.subscription == null && d.owner == null) {
      return;
    }
    begin(input);
    for (Event e : d.events) {
      byte[] value = event(e, k);
      send(EVENTS, e.type(), in.customerId, e.id(), Times.format(e.at()), value);
    }
    if (d.owner != null) {
      String key = "subscription/" + d.owner.subscriptionId();
      send(WEBHOOKS, OWNER, key, rowId(key), d.owner.at(), owner(d.owner));
    }
    if (d.row != null) {
      send(CUSTOMERS, CUSTOMERS, in.customerId, rowId(in.customerId), in.received, customer(d.row));
    }
    if (d.subscription != null) {
      String key = in.customerId + "/" + d.subscription.id;
      send(SUBSCRIPTIONS, SUBSCRIPTIONS, key, rowId(key), in.received, subscription(d.subscription));
    }
  }

  /** Sets the headers that all outputs of a webhook share. */
  private void begin(Input input) {
    in = input;
    source = header("ce_source", "/stores/" + in.store);
    subject = header("ce_subject", "customer/" + in.customerId);
    rawTopic = header("raw_topic", in.place.topic());
    rawPartition = header("raw_partition", Integer.toString(in.place.partition()));
    rawOffset = header("raw_offset", Long.toString(in.place.offset()));
  }

  private void send(String to, String type, String key, String id, String at, byte[] value) {
    RecordHeaders headers = new RecordHeaders(new Header[] {
      SPEC_VERSION, header("ce_id", id), types.computeIfAbsent(type, t -> header("ce_type", "rechargeflow." + t)), source,
      header("ce_time", at), subject,
      schemas.computeIfAbsent(type, t -> header("ce_dataschema", "urn:rechargeflow:schema:" + t + ":v1")), CONTENT_TYPE,
      in.storeHeader, in.receivedHeader, in.traceHeader, rawTopic, rawPartition, rawOffset,
    });
    int partition = in.place.partition();
    if (type.equals(OWNER)) {
      headers.add(SOURCE_OWNER);
      partition = Target.BY_KEY;
    }
    Target target = new Target(Text.bytes(in.store + "/" + key), partition);
    context.forward(new Record<>(target, value, in.record.timestamp(), headers), TransformTopology.sink(to));
  }

  private String rowId(String key) {
    return key + "/" + in.place.partition() + "/" + in.place.offset();
  }

  private byte[] event(Event e, CustomerState k) throws IOException {
    JsonGenerator out = open();
    out.writeStringField("id", e.id());
    out.writeStringField("type", e.type());
    EventBodies.text(out, "status", e.status());
    out.writeStringField("store", in.store);
    out.writeStringField("occurred_at", Times.format(e.at()));
    out.writeStringField("recharge_customer_id", in.customerId);
    EventBodies.text(out, "email", Text.first(e.email(), k.email));
    e.body().write(out);
    return close(out);
  }

  private byte[] owner(Owner o) throws IOException {
    JsonGenerator out = open();
    out.writeStringField("store", o.store());
    out.writeStringField("subscription_id", o.subscriptionId());
    out.writeStringField("customer_id", o.customerId());
    out.writeStringField("at", o.at());
    return close(out);
  }

  private byte[] customer(Row.Customer row) throws IOException {
    JsonGenerator out = open();
    out.writeStringField("store", in.store);
    out.writeStringField("recharge_customer_id", in.customerId);
    row.write(out);
    return close(out);
  }

  /** Returns the row of a subscription; null, a tombstone, for a deleted one. */
  private byte[] subscription(SubscriptionState s) throws IOException {
    if (!s.exists()) {
      return null;
    }
    JsonGenerator out = open();
    out.writeStringField("store", in.store);
    out.writeStringField("recharge_customer_id", in.customerId);
    Row.write(out, s);
    return close(out);
  }

  private JsonGenerator open() throws IOException {
    buffer.reset();
    JsonGenerator out = JSON.createGenerator(buffer);
    out.writeStartObject();
    return out;
  }

  private byte[] close(JsonGenerator out) throws IOException {
    out.writeEndObject();
    out.close();
    return buffer.toByteArray();
  }

  private static Header header(String key, String value) {
    return new RecordHeader(key, Text.bytes(value));
  }
}
