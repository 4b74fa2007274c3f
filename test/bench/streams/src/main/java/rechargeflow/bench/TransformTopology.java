package rechargeflow.bench;

import java.util.List;
import java.util.Map;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/** The topology: raw webhooks, one processor with three stores, the topics it writes. */
final class TransformTopology {
  private static final String SOURCE = "raw";
  private static final String PROCESSOR = "transform";

  private static final List<String> TOPICS = List.of(
      Outputs.EVENTS, Outputs.FACTS, Outputs.CUSTOMERS, Outputs.SUBSCRIPTIONS, Outputs.CHARGES, Outputs.WEBHOOKS);

  private TransformTopology() {}

  static Topology build(Options options) {
    Topology t = new Topology();
    t.addSource(SOURCE, new ByteArrayDeserializer(), new ByteArrayDeserializer(), options.topic(Outputs.WEBHOOKS));
    t.addProcessor(PROCESSOR, Transform::new, SOURCE);
    t.addStateStore(store(Transform.CUSTOMERS, CustomerState.class, options), PROCESSOR);
    t.addStateStore(store(Transform.OWNERS, Owner.State.class, options), PROCESSOR);
    t.addStateStore(store(Transform.CHARGE_OWNERS, ChargeOwner.State.class, options), PROCESSOR);
    for (String name : TOPICS) {
      t.addSink(sink(name), options.topic(name), Target.serializer(), new ByteArraySerializer(), Target.partitioner(), PROCESSOR);
    }
    return t;
  }

  /** Returns the name of the node that writes a topic; stores may have the topic's name. */
  static String sink(String name) {
    return "to-" + name;
  }

  private static <V> StoreBuilder<KeyValueStore<String, V>> store(String name, Class<V> row, Options options) {
    StoreBuilder<KeyValueStore<String, V>> store = Stores.keyValueStoreBuilder(
        Stores.persistentKeyValueStore(name), Serdes.String(), Json.serde(row)).withLoggingEnabled(Map.of());
    return options.cacheBytes() > 0 ? store.withCachingEnabled() : store.withCachingDisabled();
  }
}
