package rechargeflow.bench;

import java.util.Map;
import org.apache.kafka.streams.state.RocksDBConfigSetter;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.BloomFilter;
import org.rocksdb.Cache;
import org.rocksdb.LRUCache;
import org.rocksdb.Options;
import org.rocksdb.WriteBufferManager;

/**
 * Limits the memory of all stores together, as Apache Kafka advises
 * (https://kafka.apache.org/documentation/streams/developer-guide/memory-mgmt.html).
 */
public final class RocksSettings implements RocksDBConfigSetter {
  private static final Cache CACHE = new LRUCache(160L << 20, -1, false, 0.1);
  private static final WriteBufferManager WRITE_BUFFERS = new WriteBufferManager(96L << 20, CACHE);
  private static final long WRITE_BUFFER = 8L << 20;
  private static final long BLOCK = 8L << 10;
  private static final int BLOOM_BITS = 10;

  @Override
  public void setConfig(String store, Options options, Map<String, Object> configs) {
    BlockBasedTableConfig table = (BlockBasedTableConfig) options.tableFormatConfig();
    table.setBlockCache(CACHE);
    table.setCacheIndexAndFilterBlocks(true);
    table.setCacheIndexAndFilterBlocksWithHighPriority(true);
    table.setPinTopLevelIndexAndFilter(true);
    table.setBlockSize(BLOCK);
    table.setFilterPolicy(new BloomFilter(BLOOM_BITS, false));
    options.setWriteBufferManager(WRITE_BUFFERS);
    options.setWriteBufferSize(WRITE_BUFFER);
    options.setTableFormatConfig(table);
  }

  @Override
  public void close(String store, Options options) {
    // cache and write buffers are shared by all stores until the process ends
  }
}
