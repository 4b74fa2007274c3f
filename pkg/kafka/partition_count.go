package kafka

import "fmt"

// PartitionCount is the number of partitions that topics with keys must have. It is fixed when the topics are created: with
// another number a key would get another partition, and its records would be out of order. The zero value accepts any number.
type PartitionCount struct {
	Count int
	// IgnoreExtra accepts topics with more partitions: keys use the first Count partitions, and the others are not used.
	IgnoreExtra bool
}

// Check returns ErrPartitionCount if a topic with this number of partitions must not be written by key.
func (c PartitionCount) Check(topic string, have int) error {
	if c.Count == 0 || have == c.Count || c.IgnoreExtra && have > c.Count {
		return nil
	}
	return fmt.Errorf("topic %s has %d partitions, not %d: %w", topic, have, c.Count, ErrPartitionCount)
}

// among returns the number of partitions that the keys of a topic use.
func (c PartitionCount) among(topic string, have int) (int, error) {
	if err := c.Check(topic, have); err != nil {
		return 0, err
	}
	if c.Count > 0 {
		return c.Count, nil
	}
	return have, nil
}

// Of returns the partition of a key in a topic that has this many partitions, as ByKey selects it.
func (c PartitionCount) Of(key []byte, have int) int {
	return int(partitionOf(key, numbersBelow(c.Used(have), nil)))
}

// extra reports whether a partition is not used by keys.
func (c PartitionCount) extra(partition int) bool { return c.Count > 0 && partition >= c.Count }

// Used returns how many partitions of a topic are used that has this many: the extra ones of IgnoreExtra are not.
func (c PartitionCount) Used(have int) int {
	if c.IgnoreExtra && c.Count > 0 {
		return min(have, c.Count)
	}
	return have
}
