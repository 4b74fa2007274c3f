package rechargeflow.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;

/**
 * Transforms raw webhooks into events, facts, rows of the public tables, and state: one row per customer, one per owner of a
 * subscription or a charge.
 */
final class Transform implements Processor<byte[], byte[], Target, byte[]> {
  static final String CUSTOMERS = "customers";
  static final String OWNERS = "owners";
  static final String CHARGE_OWNERS = "charge-owners";

  private final Decider decider = new Decider();
  private ProcessorContext<Target, byte[]> context;
  private KeyValueStore<String, CustomerState> customers;
  private KeyValueStore<String, Owner.State> owners;
  private ChargeOwners chargeOwners;
  private Outputs outputs;

  @Override
  public void init(ProcessorContext<Target, byte[]> given) {
    context = given;
    customers = given.getStateStore(CUSTOMERS);
    owners = given.getStateStore(OWNERS);
    chargeOwners = new ChargeOwners(given.getStateStore(CHARGE_OWNERS));
    outputs = new Outputs(given);
  }

  @Override
  public void process(Record<byte[], byte[]> record) {
    Input in = new Input(record, context.recordMetadata().orElseThrow());
    try {
      process(in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void process(Input in) throws IOException {
    switch (in.source) {
      case Owner.SOURCE -> owner(in);
      case ChargeOwner.SOURCE -> chargeOwner(in);
      case ChargeDeletion.SOURCE -> chargeDeletion(in);
      default -> {
        if (in.isUsed()) {
          webhook(in);
        }
      }
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

  /** Stores the customer of a charge. */
  private void chargeOwner(Input in) throws IOException {
    ChargeOwner owner = Json.CHARGE_OWNER.readValue(in.record.value());
    outputs.write(in, chargeOwners.owned(owner, in.receivedAt));
  }

  /** Removes a deleted charge from the customer's table. */
  private void chargeDeletion(Input in) throws IOException {
    ChargeDeletion deletion = Json.CHARGE_DELETION.readValue(in.record.value());
    in.customerId = deletion.customerId();
    CustomerState k = known(in);
    Decision d = new Decision();
    d.removedCharge = ChargeTable.delete(k, deletion.chargeId(), in.receivedAt);
    finish(in, k, d);
  }

  private void webhook(Input in) throws IOException {
    in.decode();
    if (in.customerId == null) {
      nobody(in);
      return;
    }
    CustomerState k = known(in);
    Decision d = decider.decide(in, k);
    if (d != null) {
      finish(in, k, d);
    }
  }

  /** Handles a webhook that names no customer: that of a deleted charge. */
  private void nobody(Input in) throws IOException {
    if (in.isChargeDeleted()) {
      outputs.write(in, chargeOwners.deleted(in.store, in.webhook.charge.id, in.receivedAt));
    }
  }

  private CustomerState known(Input in) {
    CustomerState known = customers.get(in.key());
    return known == null ? new CustomerState() : known;
  }

  private void finish(Input in, CustomerState k, Decision d) throws IOException {
    if (k.changed) {
      customers.put(in.key(), k);
    }
    outputs.write(in, k, d);
  }
}
