package lookup

// customers is a heap by the time of the next request: see container/heap.
type customers []*customer

// Len is part of heap.Interface.
func (h customers) Len() int { return len(h) }

// Less is part of heap.Interface.
func (h customers) Less(i, j int) bool { return h[i].next.at.Before(h[j].next.at) }

// Swap is part of heap.Interface.
func (h customers) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push is part of heap.Interface.
func (h *customers) Push(x any) {
	c, ok := x.(*customer)
	if !ok {
		return
	}
	c.index = len(*h)
	*h = append(*h, c)
}

// Pop is part of heap.Interface.
func (h *customers) Pop() any {
	last := len(*h) - 1
	c := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return c
}
