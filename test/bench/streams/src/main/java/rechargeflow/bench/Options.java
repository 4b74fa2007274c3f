package rechargeflow.bench;

import java.util.Map;
import java.util.TreeMap;

/** The arguments of the program, name=value. */
record Options(String brokers, String application, String prefix, String stateDir, String compression, int commitMillis,
    int threads, long cacheBytes, int lingerMillis, int batchBytes, int pollRecords) {

  static Options parse(String[] arguments) {
    Map<String, String> given = new TreeMap<>();
    for (String argument : arguments) {
      String[] pair = argument.split("=", 2);
      if (pair.length < 2) {
        throw new IllegalArgumentException("argument must be name=value: " + argument);
      }
      given.put(pair[0], pair[1]);
    }
    return new Options(
        required(given, "brokers"), required(given, "application"), required(given, "prefix"), required(given, "state_dir"),
        required(given, "compression"), Integer.parseInt(required(given, "commit_ms")),
        Integer.parseInt(given.getOrDefault("threads", "2")), Long.parseLong(given.getOrDefault("cache_mib", "0")) << 20,
        Integer.parseInt(given.getOrDefault("linger_ms", "100")), Integer.parseInt(given.getOrDefault("batch_kib", "128")) << 10,
        Integer.parseInt(given.getOrDefault("poll_records", "2000")));
  }

  private static String required(Map<String, String> given, String name) {
    String value = given.get(name);
    if (value == null) {
      throw new IllegalArgumentException("argument is missing: " + name);
    }
    return value;
  }

  /** Returns the full name of one of the product's topics. */
  String topic(String name) {
    return prefix + "recharge." + name;
  }
}
