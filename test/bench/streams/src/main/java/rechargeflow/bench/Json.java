package rechargeflow.bench;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.module.blackbird.BlackbirdModule;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.Serializer;

/** Reads and writes JSON. */
final class Json {
  static final ObjectMapper ROWS = mapper();
  private static final ObjectMapper SNAKE_CASE = mapper().setPropertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE);
  static final ObjectReader WEBHOOK = SNAKE_CASE.readerFor(Webhook.class);
  static final ObjectReader OWNER = SNAKE_CASE.readerFor(Owner.class);
  static final ObjectReader CHARGE_OWNER = SNAKE_CASE.readerFor(ChargeOwner.class);
  static final ObjectReader CHARGE_DELETION = SNAKE_CASE.readerFor(ChargeDeletion.class);

  private Json() {}

  private static ObjectMapper mapper() {
    return new ObjectMapper()
        .registerModule(new BlackbirdModule())
        .configure(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES, false);
  }

  /** Returns how the rows of a store are written. */
  static <T> Serde<T> serde(Class<T> type) {
    ObjectReader reader = ROWS.readerFor(type);
    ObjectWriter writer = ROWS.writerFor(type);
    Serializer<T> serializer = (topic, row) -> row == null ? null : write(writer, row);
    Deserializer<T> deserializer = (topic, bytes) -> bytes == null ? null : read(reader, bytes);
    return Serdes.serdeFrom(serializer, deserializer);
  }

  private static byte[] write(ObjectWriter writer, Object row) {
    try {
      return writer.writeValueAsBytes(row);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static <T> T read(ObjectReader reader, byte[] bytes) {
    try {
      return reader.readValue(bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
