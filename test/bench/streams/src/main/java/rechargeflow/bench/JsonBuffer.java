package rechargeflow.bench;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.ByteArrayBuilder;
import java.io.IOException;

/** Writes JSON objects. One thread at a time. */
final class JsonBuffer {
  private static final JsonFactory JSON = Json.ROWS.getFactory();
  private static final int BYTES = 2048;

  private final ByteArrayBuilder buffer = new ByteArrayBuilder(BYTES);

  /** Writes the members of an object. */
  interface Members {
    void write(JsonGenerator out) throws IOException;
  }

  byte[] object(Members members) throws IOException {
    buffer.reset();
    JsonGenerator out = JSON.createGenerator(buffer);
    out.writeStartObject();
    members.write(out);
    out.writeEndObject();
    out.close();
    return buffer.toByteArray();
  }
}
