package wire

// Partition is a partition of a topic.
type Partition struct {
	Topic string
	ID    int32
}

func (p Partition) topic() string { return p.Topic }

// byTopic splits a list where the topic changes.
func byTopic[T interface{ topic() string }](list []T) [][]T {
	var topics [][]T
	for from := 0; from < len(list); {
		to := from + 1
		for to < len(list) && list[to].topic() == list[from].topic() {
			to++
		}
		topics = append(topics, list[from:to])
		from = to
	}
	return topics
}
