package timeline

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// Resolve returns the customers who have an e-mail: by their rows in recharge.customers or, if there are none, by the events that were
// sent for it, such as those before it changed. store is "" for all stores. It reads all partitions of one topic or both.
func (s Source) Resolve(ctx context.Context, email, store string) ([]Customer, error) {
	email = strings.ToLower(strings.TrimSpace(email))
	for _, topic := range []string{s.Topics.Customers(), s.Topics.Events()} {
		found, err := s.withEmail(ctx, topic, email)
		if err != nil {
			return nil, fmt.Errorf("find customer by e-mail: %w", err)
		}
		found = slices.DeleteFunc(found, func(c Customer) bool { return store != "" && c.Store != store })
		if len(found) > 0 {
			return found, nil
		}
	}
	return nil, nil
}

// withEmail returns the customers whose records in a topic have an e-mail. Of a table the last record of a key counts.
func (s Source) withEmail(ctx context.Context, topic, email string) ([]Customer, error) {
	reader, err := kafka.NewTopicReader(s.Cluster, topic)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	partitions, err := reader.Partitions(ctx)
	if err != nil {
		return nil, err
	}
	ranges, err := reader.OffsetRanges(ctx, partitions...)
	if err != nil {
		return nil, err
	}
	quoted, err := json.Marshal(email)
	if err != nil {
		return nil, err
	}
	search := &search{reading: s.reading(ctx), email: email, quoted: quoted, table: topic != s.Topics.Events(), found: map[Customer]bool{}}
	for _, partition := range partitions {
		search.Go(func() error {
			for record, err := range reader.Read(search.ctx, partition, ranges[partition]) {
				if err != nil {
					return err
				}
				search.see(record)
			}
			return nil
		})
	}
	if err := search.Wait(); err != nil {
		return nil, err
	}
	return slices.SortedFunc(maps.Keys(search.found), func(a, b Customer) int {
		return cmp.Or(cmp.Compare(a.Store, b.Store), cmp.Compare(a.ID, b.ID))
	}), nil
}

// search finds the customers who have an e-mail.
type search struct {
	*reading

	email  string
	quoted []byte // as JSON has it
	table  bool   // the last record of a key counts
	found  map[Customer]bool
}

func (s *search) see(r kafka.Record) {
	has := hasEmail(r.Value, s.email, s.quoted)
	if !has && !s.table {
		return
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	if has {
		s.found[ofRecord(r)] = true
	} else {
		delete(s.found, ofRecord(r))
	}
}

// ofRecord returns the customer of a record by its key.
func ofRecord(r kafka.Record) Customer {
	store, id, _ := strings.Cut(string(r.Key), "/")
	return Customer{Store: store, ID: id}
}

// hasEmail reports whether a value has an e-mail. Values are decoded only if they contain it.
func hasEmail(value []byte, email string, quoted []byte) bool {
	if !bytes.Contains(value, quoted) {
		return false
	}
	var row struct {
		Email string `json:"email"`
	}
	return json.Unmarshal(value, &row) == nil && row.Email == email
}
