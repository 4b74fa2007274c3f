package rechargeflow.bench;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.List;
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
  static final String FACTS = "facts";
  static final String CUSTOMERS = "customers";
  static final String SUBSCRIPTIONS = "subscriptions";
  static final String CHARGES = "charges";
  static final String WEBHOOKS = "webhooks";
  private static final String FACT = "fact";

  private static final Header SPEC_VERSION = header("ce_specversion", "1.0");
  private static final Header CONTENT_TYPE = header("content-type", "application/json");
  private static final Header SOURCE_OWNER = header(Input.SOURCE, Owner.SOURCE);
  private static final Header SOURCE_CHARGE_OWNER = header(Input.SOURCE, ChargeOwner.SOURCE);
  private static final Header SOURCE_DELETED = header(Input.SOURCE, ChargeDeletion.SOURCE);

  private final ProcessorContext<Target, byte[]> context;
  private final JsonBuffer json = new JsonBuffer();
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

  /** Writes what a decision publishes. */
  void write(Input input, CustomerState k, Decision d) throws IOException {
    if (d.isEmpty()) {
      return;
    }
    begin(input, input.customerId);
    for (Event e : d.events) {
      byte[] value = json.object(out -> event(out, e, Text.first(e.formerEmail(), k.email)));
      send(EVENTS, e.type(), in.customerId, e.id(), Times.format(e.at()), value);
    }
    for (Event e : d.facts) { // without an e-mail, which only tracking needs
      send(FACTS, FACT, in.customerId, e.id(), Times.format(e.at()), json.object(out -> event(out, e, null)));
    }
    owners(d);
    rows(d);
  }

  /** Writes a deletion for the customer of a charge, unless it is null. */
  void write(Input input, ChargeDeletion deletion) throws IOException {
    if (deletion != null) {
      begin(input, deletion.customerId());
      sendRaw(ChargeDeletion.TYPE, SOURCE_DELETED, deletion.customerId(), deletion.receivedAt(), json.object(deletion::write));
    }
  }

  private void owners(Decision d) throws IOException {
    if (d.owner != null) {
      sendRaw(Owner.TYPE, SOURCE_OWNER, d.owner.key(), d.owner.at(), json.object(d.owner::write));
    }
    if (d.chargeOwner != null) {
      sendRaw(ChargeOwner.TYPE, SOURCE_CHARGE_OWNER, d.chargeOwner.key(), d.chargeOwner.at(), json.object(d.chargeOwner::write));
    }
  }

  /** Writes changed rows; those that are removed have no value. */
  private void rows(Decision d) throws IOException {
    if (d.row != null) {
      row(CUSTOMERS, in.customerId, json.object(out -> d.row.write(out, in)));
    }
    if (d.subscription != null) {
      byte[] value = d.subscription.exists() ? json.object(out -> Row.subscription(out, in, d.subscription)) : null;
      row(SUBSCRIPTIONS, in.customerId + "/" + d.subscription.id, value);
    }
    if (d.charge != null) {
      row(CHARGES, in.customerId + "/" + d.charge.body.id, json.object(out -> Row.charge(out, in, d.charge, d.charge.updatedAt)));
    }
    if (d.removedCharge != null) {
      row(CHARGES, in.customerId + "/" + d.removedCharge, null);
    }
  }

  /** Sets the headers that all outputs of a record share. */
  private void begin(Input input, String customer) {
    in = input;
    source = header("ce_source", "/stores/" + in.store);
    subject = header("ce_subject", "customer/" + customer);
    rawTopic = header("raw_topic", in.place.topic());
    rawPartition = header("raw_partition", Integer.toString(in.place.partition()));
    rawOffset = header("raw_offset", Long.toString(in.place.offset()));
  }

  private void row(String table, String key, byte[] value) {
    send(table, table, key, rowId(key), in.received, value);
  }

  /** Sends an output to the partition of its raw record. */
  private void send(String to, String type, String key, String id, String at, byte[] value) {
    forward(to, key, in.place.partition(), headers(type, id, at, in.sourceHeader), value);
  }

  /** Sends a raw record to the partition of its key: it is for another state. */
  private void sendRaw(String type, Header entered, String key, String at, byte[] value) {
    forward(WEBHOOKS, key, Target.BY_KEY, headers(type, rowId(key), at, entered), value);
  }

  private void forward(String to, String key, int partition, List<Header> headers, byte[] value) {
    Target target = new Target(Text.bytes(in.store + "/" + key), partition);
    context.forward(new Record<>(target, value, in.record.timestamp(), new RecordHeaders(headers)), TransformTopology.sink(to));
  }

  private List<Header> headers(String type, String id, String at, Header entered) {
    return List.of(
        SPEC_VERSION, header("ce_id", id), types.computeIfAbsent(type, t -> header("ce_type", "rechargeflow." + t)), source,
        header("ce_time", at), subject,
        schemas.computeIfAbsent(type, t -> header("ce_dataschema", "urn:rechargeflow:schema:" + t + ":v1")), CONTENT_TYPE,
        in.storeHeader, in.receivedHeader, in.traceHeader, rawTopic, rawPartition, rawOffset, entered);
  }

  private String rowId(String key) {
    return key + "/" + in.place.partition() + "/" + in.place.offset();
  }

  private void event(JsonGenerator out, Event e, String email) throws IOException {
    out.writeStringField("id", e.id());
    out.writeStringField("type", e.type());
    EventBodies.text(out, "status", e.status());
    out.writeStringField("store", in.store);
    out.writeStringField("occurred_at", Times.format(e.at()));
    out.writeStringField("recharge_customer_id", in.customerId);
    EventBodies.text(out, "email", email);
    if (e.formerEmail() != null) {
      out.writeBooleanField("former", true);
    }
    e.body().write(out);
  }

  private static Header header(String key, String value) {
    return new RecordHeader(key, Text.bytes(value));
  }
}
