package rechargeflow.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;

/** Transforms raw webhooks into events, rows of the public tables, and state: one row per customer, one per owner. */
final class Transform implements Processor<byte[], byte[], Target, byte[]> {
  static final String CUSTOMERS = "customers";
  static final String OWNERS = "owners";

  private final Facts facts = new Facts();
  private final Rules rules = new Rules(facts);
  private final ActiveProperty property = new ActiveProperty(facts);
  private ProcessorContext<Target, byte[]> context;
  private KeyValueStore<String, CustomerState> customers;
  private KeyValueStore<String, Owner.State> owners;
  private Outputs outputs;

  @Override
  public void init(ProcessorContext<Target, byte[]> given) {
    context = given;
    customers = given.getStateStore(CUSTOMERS);
    owners = given.getStateStore(OWNERS);
    outputs = new Outputs(given);
  }

  @Override
  public void process(Record<byte[], byte[]> record) {
    Input in = new Input(record, context.recordMetadata().orElseThrow());
    try {
      if (in.isOwner()) {
        owner(in);
      } else if (in.isUsed()) {
        webhook(in);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Stores the newest owner of a subscription. */
  private void owner(Input in) throws IOException {
    Owner owner = Json.OWNER.readValue(in.record.value());
    String key = owner.store() + "/" + owner.subscriptionId();
    Owner.State known = owners.get(key);
    Owner.State next = owner.state(in.receivedAt);
    if (next.newerThan(known)) {
      owners.put(key, next);
    }
  }

  private void webhook(Input in) throws IOException {
    in.decode();
    if (in.customerId == null) {
      return;
    }
    CustomerState known = customers.get(in.key());
    CustomerState k = known == null ? new CustomerState() : known;
    Decision d = Decision.of(in, k, rules, property, facts);
    if (d == null) {
      return;
    }
    if (k.changed) {
      customers.put(in.key(), k);
    }
    outputs.write(in, k, d);
  }
}
