package app

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync/atomic"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	live "github.com/rechargeflow/rechargeflow/pkg/settings"
)

// Settings returns the settings that change at run time.
func Settings(k config.Kafka) live.Settings { return live.New(k.TopicPrefix) }

// ShopOf returns the shop's data for the texts of a store.
func ShopOf(store config.Store) flow.Shop {
	return flow.Shop{
		Name: store.SMS.ShopName, URL: store.SMS.ShopURL,
		PortalURL: store.SMS.PortalURL, ActivationURL: store.SMS.ActivationURL, PaymentURL: store.SMS.PaymentURL,
	}
}

// flowBook has the flows of the stores that send texts, as they are set now.
type flowBook struct {
	table  *live.Table[live.Setting]
	stores []config.Store
	log    *zap.Logger
	page   atomic.Pointer[flowPage]
}

// flowPage is the flows at one moment. It never changes.
type flowPage struct {
	flows  map[string]map[flow.Key]flow.Flow // by store
	faults error                             // of active flows; they are not active here
}

// newFlowBook returns the flows of stores, none until its table has run.
func newFlowBook(k config.Kafka, stores []config.Store, log *zap.Logger) *flowBook {
	b := &flowBook{table: live.NewTable(Settings(k).Topic, log), stores: stores, log: log}
	b.page.Store(&flowPage{})
	b.table.OnChange(b.turn)
	return b
}

// of returns what finds a flow of a store.
func (b *flowBook) of(store string) func(flow.Key) (flow.Flow, bool) {
	return func(key flow.Key) (flow.Flow, bool) {
		f, known := b.page.Load().flows[store][key]
		return f, known
	}
}

// ready is a check for /readyz.
func (b *flowBook) ready() error {
	if !b.table.IsReady() {
		return errors.New("the flows were not read yet")
	}
	return nil
}

// trouble is a check for /readyz: rows that can't be read, and active flows that can't be sent with the store's configuration.
func (b *flowBook) trouble() error {
	return errors.Join(b.table.Rows().Unreadable(), b.page.Load().faults)
}

// turn takes up changed rows.
func (b *flowBook) turn(rows *live.Rows[live.Setting]) {
	last, next := b.page.Load(), &flowPage{flows: map[string]map[flow.Key]flow.Flow{}}
	for _, store := range b.stores {
		flows, err := effective(rows, store)
		if err != nil {
			b.log.Error("active flows have faults and are not sent", zap.String("store", store.Name), zap.Error(err))
			next.faults = errors.Join(next.faults, err)
		}
		next.flows[store.Name] = flows
		if !maps.Equal(flows, last.flows[store.Name]) {
			b.log.Info("flows in force", zap.String("store", store.Name), zap.Strings("active_flows", activeFlows(flows)))
		}
	}
	b.page.Store(next)
}

// effective returns the flows of a store. A flow with a fault, such as a link that the configuration does not have any more, is not active:
// its text would be wrong.
func effective(rows *live.Rows[live.Setting], store config.Store) (map[flow.Key]flow.Flow, error) {
	all, err := live.FlowsOf(rows, store.Name)
	if err != nil {
		return nil, err
	}
	flows := map[flow.Key]flow.Flow{}
	var faults error
	for _, each := range all {
		f := each.Definition()
		if err := flow.Check([]flow.Flow{f}, store.Name, ShopOf(store)); f.Active && err != nil {
			faults = errors.Join(faults, prefixed("store "+store.Name, err))
			f.Active = false
		}
		flows[f.Key] = f
	}
	return flows, faults
}

func activeFlows(flows map[flow.Key]flow.Flow) []string {
	active := []string{}
	for _, key := range flow.Keys() {
		if flows[key].Active {
			active = append(active, string(key))
		}
	}
	return active
}

// prefixed puts a source before each line of err, which may join many errors.
func prefixed(source string, err error) error {
	var lines []error
	for line := range strings.Lines(err.Error()) {
		lines = append(lines, fmt.Errorf("%s: %s", source, strings.TrimSuffix(line, "\n")))
	}
	return errors.Join(lines...)
}
