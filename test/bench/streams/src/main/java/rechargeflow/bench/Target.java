package rechargeflow.bench;

import java.util.Optional;
import java.util.Set;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.common.utils.Utils;
import org.apache.kafka.streams.processor.StreamPartitioner;

/** The key of an output, and the partition it goes to; BY_KEY selects it by the key, as Kafka's producer does. */
record Target(byte[] key, int partition) {
  static final int BY_KEY = -1;

  static Serializer<Target> serializer() {
    return (topic, target) -> target.key();
  }

  static StreamPartitioner<Target, byte[]> partitioner() {
    return (topic, target, value, partitions) -> Optional.of(Set.of(target.number(partitions)));
  }

  private int number(int partitions) {
    return partition == BY_KEY ? Utils.toPositive(Utils.murmur2(key)) % partitions : partition;
  }
}
