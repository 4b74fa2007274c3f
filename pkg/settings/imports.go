package settings

import (
	"context"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/schemas"
)

// Import is an import of a store that was completed.
type Import struct {
	Store   string    `json:"store"`
	Version int       `json:"version"` // from 1 on, one more with each import
	At      time.Time `json:"at"`      // when and by whom it was completed
	By      string    `json:"by"`
	// CompleteSince is when it began to read: the tables have all customers and subscriptions that Recharge had then, and what webhooks
	// brought since.
	CompleteSince time.Time `json:"complete_since"`
	Customers     int       `json:"customers"`
	Subscriptions int       `json:"subscriptions"`
	Charges       int       `json:"charges"`
	// Unreadable are the resources that were left out.
	Unreadable int `json:"unreadable"`
	// Vanished are the customers who were removed because Recharge did not know them any more.
	Vanished int `json:"vanished"`
}

// ImportOf returns the last import of a store; version 0 means that there was none.
func ImportOf(rows *Rows[Setting], store string) Import {
	if row, _ := rows.Get(importKey(store)); row.Import != nil {
		return *row.Import
	}
	return Import{Store: store}
}

// Imported records that an import was completed. It sets the version.
func (s Settings) Imported(ctx context.Context, cluster kafka.Cluster, done Import) error {
	return s.Change(ctx, cluster, s.Writer, func(rows *Rows[Setting]) ([]kafka.Record, error) {
		done.Version = ImportOf(rows, done.Store).Version + 1
		return s.records(schemas.SettingsImport, done.Store, importKey(done.Store), done.Version, done.At, done)
	})
}
